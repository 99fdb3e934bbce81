"""What the command says where there is nothing to explain."""

from __future__ import annotations

from didact._core.i18n import Text

EMPTY = Text(
    "there is nothing to explain: the text is empty; paste code or name a file",
    "没有可解释的内容：文本为空；请粘贴代码或给出文件名",
)
NOTHING_PIPED = Text(
    "nothing was piped in; give a file or a rule's code, or pipe code in: pbpaste | didact explain",
    "没有从管道读到内容；请给出文件、规则代号，或把代码送进管道：pbpaste | didact explain",
)
TOO_LARGE = Text(
    "the text has more than {limit} characters; give the part that computes the loss",
    "文本超过 {limit} 个字符；请只给出计算损失的部分",
)
NO_PYTHON = Text(
    "no Python code was found in the text; paste the code itself",
    "文本中没有找到 Python 代码；请直接粘贴代码",
)
BINARY = Text(
    "this is not text (binary data); give a .py file, a notebook or pasted code",
    "这不是文本（二进制数据）；请给出 .py 文件、notebook 或粘贴的代码",
)
CANNOT_READ = Text(
    "cannot read {file}: {reason}; give a file of code, or a rule's code",
    "无法读取 {file}：{reason}；请给出代码文件或规则代号",
)
NO_NOTEBOOK = Text(
    "cannot read {file}: {reason}; is it a notebook?",
    "无法读取 {file}：{reason}；它是 notebook 吗？",
)
