"""What a page puts around code that is neither code nor a sentence: buttons, counters, notices."""

from __future__ import annotations

import re

_LANGUAGES = "python py python3 ipython pytorch plaintext bash shell text"

_BUTTONS = """
copy;copied!?;copy code;copy link;copy to clipboard;raw;blame;history;edit;edited;share;follow
following;reply;report;like;likes;save;listen;run;run code;wrap;unwrap;expand;collapse;show more
show less;view raw;view source on github;view on github;view on tensorflow.org;run in google colab
open in colab;download notebook;open in app;member-only story;sign in;sign up;log in;get started
loading\\.*;add a comment;improve this (?:answer|question);sorted by:;highest score;\\d+ answers?
\\d+ comments?;\\d+ views?;highest score \\(default\\);(?:asked|answered|edited|modified|posted) .*
\\d+ min read;top comments?;new line;light mode;dark mode;cell in ?\\[\\d*\\]
"""

_BUTTONS_ZH = """
复制;复制代码;复制编辑;复制链接;一键复制;运行;运行代码;登录后复制;登录复制;ai代码解释;代码解读;体验ai代码助手
代码解释;展开;展开代码;展开全文;展开阅读全文;收起;收起代码;全屏;点赞;点赞数?;收藏;收藏该文;评论;添加评论
写评论;分享;关注;关注作者;编辑;举报;喜欢;赞;赞同;已赞同;反对;回复;打赏;下载;下载源码;查看更多;查看原文;阅读全文
阅读原文;原文链接;上一篇;下一篇;目录;换行;自动换行;夜间模式;主题;折叠;播报;隐藏;引用;踩
"""

_NOTICES = re.compile(
    r"^(?:(?:版权声明|转载请注明|本文链接|原文链接|原文地址|著作权|来源|作者|链接|转自|发布于|编辑于|阅读量?|"
    r"文章标签|分类专栏|最后编辑)\s*[:：].*|(?:转载请注明|著作权归|版权声明|发布于|编辑于|转自|转载自).*|"
    r"(?:阅读|浏览|赞同|收藏|评论|点赞|热度)数?\s*\d+.*|copyright .*|all rights reserved.*|"
    r"(?:author|source|published|last updated)\s*: .{0,60}|(?:posted|written) by .{0,60})$",
    re.IGNORECASE,
)


def _alternatives(text: str) -> str:
    words = [word for line in text.split("\n") for word in line.split(";") if word]
    return "|".join(word.replace(" ", r"[ \t]+") for word in sorted(words, key=len, reverse=True))


_LANGUAGE = _LANGUAGES.replace(" ", "|")
_TERM = rf"(?:{_alternatives(_BUTTONS)}|{_alternatives(_BUTTONS_ZH)}|{_LANGUAGE}"
_TERM += r"|\d+(?:\.\d+)?[km]?)"
_ONE_TERM = re.compile(_TERM, re.IGNORECASE)
_BETWEEN = re.compile(r"[\W\d_]*")
_LONGEST = 80
"""No row of buttons is longer."""

_GLUED_ZH = rf"(?:{_alternatives(_BUTTONS_ZH)})"
_AT_START = re.compile(
    rf"^[ \t]*(?:(?:{_LANGUAGE})[ \t]*)?(?:{_GLUED_ZH})+(?![\u4e00-\u9fff])", re.I
)
_AT_END = re.compile(
    r"(?<![ \t])[ \t]*(?:登录后复制|复制代码|一键复制|复制编辑|(?<=[\s)])(?:复制|全屏|运行))"
    r"(?:[ \t]*(?:复制|全屏|运行|收起))*[ \t]*$"
)
_TAG = re.compile(
    r"(?<![\w\])])\[(?:code|python|php|quote)(?:[ =][^\]\n]*)?\]|\[/(?:code|python|php|quote)\]"
    r"|【(?:/?[\u4e00-\u9fff][^【】\n=()]*|/[^【】\n]*)】",
    re.IGNORECASE,
)


def is_furniture(line: str) -> bool:
    """Whether a line holds nothing but what a page puts around code."""
    line = line.strip()
    if _NOTICES.match(line):
        return True
    position, first = _BETWEEN.match(line).end() if line[:1] != "#" else 0, True  # type: ignore[union-attr]
    if line[:1].isdigit():
        position = 0
    if len(line) > _LONGEST or "=" in line:
        return False
    while position < len(line):
        match = _ONE_TERM.match(line, position)
        if match is None or not _ends_word(line, match.end()):
            return False
        position, first = _BETWEEN.match(line, match.end()).end(), False  # type: ignore[union-attr]
    return not first


def _ends_word(line: str, position: int) -> bool:
    """Whether a Latin word ends here; Chinese needs no space between words."""
    around = line[position - 1 : position + 1]
    return not (around.isascii() and len(around) == 2 and around.isalpha())


def without_buttons(line: str) -> str:
    """A line without the buttons and tags that were copied with it."""
    for match in reversed(list(_TAG.finditer(line))):
        before = line[: match.start()]
        if before.count('"') % 2 == 0 and before.count("'") % 2 == 0:
            line = before + "\n" + line[match.end() :]
    return _AT_START.sub("", _AT_END.sub("", line))
