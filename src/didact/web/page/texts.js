// Every sentence of the page, both languages side by side.
export const TEXTS = {
  skip: { en: "Skip to the answer", zh: "跳到解释" },
  tagline: { en: "explains distillation code and finds its mistakes", zh: "解释蒸馏代码，找出其中的错误" },
  home: { en: "Documentation", zh: "文档" },
  title: { en: "What does this code do, and what is wrong with it?", zh: "这段代码做了什么？错在哪里？" },
  lead: {
    en: "Paste a distillation loss as you found it: on one line, with prompts, with the page's debris. It is read, never run.",
    zh: "把看到的蒸馏损失代码原样粘贴进来：挤成一行、带提示符、夹着网页残留都可以。代码只会被阅读，不会被执行。",
  },
  examples: { en: "Or start from:", zh: "也可以从示例开始：" },
  paste: { en: "Your code", zh: "你的代码" },
  hint: { en: "Ctrl+Enter explains. A question beside the code is answered too.", zh: "按 Ctrl+Enter 开始解释。代码旁边的提问也会得到回答。" },
  explain: { en: "Explain", zh: "解释" },
  open: { en: "Open a file", zh: "打开文件" },
  share: { en: "Copy a link", zh: "复制链接" },
  download: { en: "Download as Markdown", zh: "下载为 Markdown" },
  close: { en: "Close", zh: "关闭" },
  privacyLocal: { en: "Everything stays on this machine.", zh: "所有内容都只留在本机。" },
  privacyStatic: {
    en: "Everything is computed in your browser; nothing is sent anywhere. A shared link holds the code itself, after the #, which no server sees.",
    zh: "全部计算都在浏览器里完成，不会发送任何内容。分享链接把代码放在 # 之后，服务器看不到。",
  },
  loading: { en: "Starting Python in the browser … (about 12 MB the first time)", zh: "正在浏览器中启动 Python……（首次约 12 MB）" },
  working: { en: "Reading the code …", zh: "正在阅读代码……" },
  done: { en: "Explained: {errors}, {warnings}, {infos}.", zh: "解释完毕：{errors}，{warnings}，{infos}。" },
  errorCount: { en: "{count} error{s}", zh: "{count} 个错误" },
  warningCount: { en: "{count} warning{s}", zh: "{count} 个警告" },
  infoCount: { en: "{count} remark{s}", zh: "{count} 条提示" },
  nothingToShare: { en: "There is nothing to share yet: paste some code.", zh: "还没有可以分享的内容：请先粘贴代码。" },
  tooSlow: { en: "There was no answer within 30 seconds; paste a smaller part.", zh: "30 秒内没有得出结果，请粘贴更小的一段。" },
  copied: { en: "Copied.", zh: "已复制。" },
  linkCopied: { en: "The link is copied; it holds the code itself.", zh: "链接已复制，代码就在链接里。" },
  linkShown: { en: "The link stands in the address bar.", zh: "链接已在地址栏中。" },
  linkBroken: { en: "This link is damaged; paste the code instead.", zh: "链接已损坏，请直接粘贴代码。" },
  tooLarge: { en: "The file has {size} bytes; the page takes 1,000,000.", zh: "文件有 {size} 字节，本页最多接受 1,000,000 字节。" },
  binary: { en: "This file is not text.", zh: "这不是文本文件。" },
  failed: { en: "No answer: {reason}", zh: "没有得到结果：{reason}" },
  unreachable: { en: "didact web is not running any more; start it again.", zh: "didact web 已停止运行，请重新启动。" },
  summary: { en: "In short", zh: "概要" },
  answerHeading: { en: "The question in your paste", zh: "你的提问" },
  lines: { en: "Line by line", zh: "逐行解释" },
  findings: { en: "What is wrong", zh: "发现的问题" },
  noFindings: { en: "Nothing was found. That is no proof that the code is right: only what is known of it is judged.", zh: "没有发现问题。这并不证明代码正确：只能判断能够识别的部分。" },
  formula: { en: "The loss as a formula", zh: "损失的整体公式" },
  written: { en: "As written", zh: "代码所写" },
  correctedFormula: { en: "As corrected", zh: "修正之后" },
  roles: { en: "What the names stand for", zh: "各个名字代表什么" },
  corrected: { en: "Corrected code", zh: "修正后的代码" },
  unchanged: { en: "Nothing was changed.", zh: "没有改动。" },
  questions: { en: "Questions this code raises", zh: "这段代码引出的问题" },
  guesses: { en: "How the paste was read", zh: "粘贴内容的还原" },
  copy: { en: "Copy", zh: "复制" },
  unified: { en: "In one column", zh: "单栏" },
  split: { en: "Side by side", zh: "双栏" },
  before: { en: "yours", zh: "原代码" },
  after: { en: "corrected", zh: "修正后" },
  line: { en: "line {line}", zh: "第 {line} 行" },
  error: { en: "error", zh: "错误" },
  warning: { en: "warning", zh: "警告" },
  info: { en: "remark", zh: "提示" },
  rulePage: { en: "The rule’s page: {code}", zh: "规则说明：{code}" },
  values: { en: "Point at a value, or move to it with Tab, to see what it is.", zh: "将鼠标移到变量上，或用 Tab 键选中，即可查看它是什么。" },
};

export const EXAMPLES = [
  {
    name: { en: "several teachers", zh: "多教师" },
    code: `loss = 0
for teacher in teachers:
    t = teacher(x)
    loss += F.kl_div(F.log_softmax(t / T, dim=1), F.softmax(student(x) / T, dim=1), reduction="mean")
loss.backward()`,
  },
  {
    name: { en: "new classes, on one line", zh: "类增量，一行" },
    code: `for x, y in loader: out = model(x) # 新模型 with torch.no_grad(): old = old_model(x) # 旧模型 ce = F.cross_entropy(out, y) kd = F.kl_div(F.log_softmax(out[:, :n_old], dim=1), F.softmax(old, dim=1)) loss = ce + lamda * kd opt.zero_grad() loss.backward() opt.step()`,
  },
  {
    name: { en: "a weighted loss", zh: "加权损失" },
    code: `def kd_loss(student_logits, teacher_logits, labels, T=4.0, lam=0.9):
    hard = F.cross_entropy(F.softmax(student_logits, dim=1), labels)
    soft = nn.KLDivLoss()(F.softmax(student_logits / T, dim=1), F.softmax(teacher_logits / T, dim=1))
    return (1 - lam) * hard + lam * soft`,
  },
  {
    name: { en: "a language model", zh: "语言模型" },
    code: `def compute_loss(self, model, inputs, return_outputs=False):
    outputs = model(**inputs)
    with torch.no_grad():
        teacher_outputs = self.teacher(**inputs)
    kd = F.kl_div(
        F.log_softmax(outputs.logits / self.T, dim=-1),
        F.softmax(teacher_outputs.logits / self.T, dim=-1),
        reduction="batchmean",
    )
    loss = outputs.loss + kd
    return (loss, outputs) if return_outputs else loss`,
  },
];
