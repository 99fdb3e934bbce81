"""Which mistakes a question is about, and how an answer that names them begins."""

from __future__ import annotations

import re
from typing import NamedTuple

from didact._core.i18n import Text
from didact.check.explain.words.patterns import either


class Topic(NamedTuple):
    """Something that questions are about.

    Attributes:
        asks: What the question says, in either language.
        kinds: The kinds of mistakes that it may be about, those that explain most first.
        says: What the message of any other finding says (in English) that is about it.
    """

    asks: re.Pattern[str]
    kinds: tuple[str, ...]
    says: re.Pattern[str]


def _topic(asks: str, kinds: str, says: str) -> Topic:
    return Topic(re.compile(asks, re.IGNORECASE), tuple(kinds.split()), re.compile(says))


SYMPTOMS: tuple[Topic, ...] = (
    _topic(
        r"(ema|teacher|average|教师|老师|滑动平均).*(never|not|n't|stays?|same|不更新|没有?更新"
        r"|不变|不动|没变化)",
        "PARAMETER-REBOUND",
        r"average is never updated",
    ),
    _topic(
        r"learning rate|\blr\b|schedul|学习率|调度",
        "SCHEDULER-EACH-BATCH",
        r"learning rate",
    ),
    _topic(r"gradscaler|\bscaler\b|unscale|clip|裁剪", "CLIPPED-WHILE-SCALED", r"clipp"),
    _topic(
        r"(\bval|\btest|accurac|\bacc\b|eval).*(fluctuat|jump|nois|unstable|vari|differ|worse|lower"
        r"|bounc|up and down)"
        r"|(验证|测试|精度|准确率).*(忽高忽低|波动|不稳|抖|跳|不一样|不同|偏低|低很多)",
        "VALIDATED-IN-TRAINING",
        r"evaluated in training mode",
    ),
    _topic(r"syntax|语法", "LAMBDA-NAME", r"SyntaxError"),
    _topic(
        r"(?<!hard )\bsharp|\bpeaked|\bflat(ter)?\b|uniform|smooth(ed)? out|更?尖|平坦|均匀",
        "T-INVERTED SOFTMAX-OF-SOFTMAX T-ONE-SIDE KERAS-SOFTMAX-TWICE DIM-0",
        r"sharp|uniform",
    ),
    _topic(
        r"ln ?\(?2\b|0\.69|log ?\(?2\b|larger than|大于 ?ln",
        "JSD-WRONG JS-EXCHANGED BCEWL-ON-PROBS",
        r"ln 2",
    ),
    _topic(
        r"negative|below (zero|0)|minus|负的|是负|为负|负数|负值|变负|负了",
        "KL-INPUT-PROBS KL-INPUT-RAW KL-TARGET-RAW CE-TARGET-RAW SIGNED-DIFFERENCE SIGN-MISSING "
        "LOG-TARGET-ON-PROBS NLL-WRONG-SPACE MIXED-SPACE KL-TARGET-LOG ARGS-REVERSED "
        "SLICE-AFTER-SOFTMAX ABS-HIDES-NEGATIVE TARGET-SUM",
        r"negative|no lower bound|below 0",
    ),
    _topic(
        r"\bnan\b|\binf(inite|inity)?\b|explod|diverg(es|ed|ing)\b|blows? up|overflow|无穷"
        r"|爆炸|发散|溢出"
        r"|(?<![a-z])nans?(?![a-z])|(?<![a-z])inf(?![a-z])",
        "KL-TARGET-LOG ARGS-REVERSED KL-TARGET-RAW INF-MASK EMPTY-SLICE NO-ZERO-GRAD KL-INPUT-RAW "
        "CE-TARGET-RAW LOG-OF-SOFTMAX EXP-OVERFLOW",
        r"\bNaN\b|\binf\b|−inf|0/0|divi\w+ by 0|by zero|no lower bound",
    ),
    _topic(
        r"out of memory|\boom\b|memory|显存|内存|爆显|越来越慢|slower",
        "GRAPHS-KEPT STORED-GRAPH SUM-OUTLIVES TEACHER-GRAD",
        r"memory|graphs? of",
    ),
    _topic(
        r"\b(always|stays?|exactly|identically|constant(ly)?|is|are|equals?"
        r"|becomes?) (at )?(0|zero)\b"
        r"|(is|stays) 0\.0|\bnot (0|zero)\b|\b0\.0+\b|(一直|恒|总|都|始终|全)(是|为|等于)? ?0|恒为"
        r"|为 ?0(?!\.)|等于 ?0",
        "ALIAS-TEACHER SELF-TARGET TERM-ZERO MASK-SIGN EMPTY-SLICE STUDENT-UNUSED DEAD-MASK",
        r"\b(is|are|stays|always|both|equals?) 0\b|identically|same (object|tensor|network|model)"
        r"|by itself|itself",
    ),
    _topic(
        r"(\bnot|n't|never|why).*\b(to|reach(es)?|become) (0|zero)\b|降不到|到不了 ?0|不为 ?0",
        "TARGET-SUM SIDES-DIFFER T-ONE-SIDE SOFTMAX-OF-SOFTMAX T-INVERTED",
        r"cannot (reach|fall)|not 0 even",
    ),
    _topic(
        r"only the last|last (layer|one|stage)|more (layers|teachers).*(nothing|no)"
        r"|只有最后|最后一(层|个).*(起|有)|(加|增).*(层|教师).*(没|不)(变|有|起)",
        "SUM-OVERWRITTEN",
        r"only the last|overwrit|replaced in",
    ),
    _topic(
        r"(teacher|ema|average).*(equals?|same as|identical|copy|copies|exactly like|just like)"
        r"|(same as|equals?|copy of|identical to) (the )?student|一模一样|几乎一样|完全一样"
        r"|一样(了|吗)",
        "EMA-REVERSED ALIAS-TEACHER",
        r"copy of|same object",
    ),
    _topic(
        r"teacher.*(worse|drift|chang|acc|drop)|(教师|老师).*(变差|每.{0,8}不一样|准确率"
        r"|精度|漂移|在变|掉)",
        "TEACHER-TRAIN-MODE BN-DRIFT OPT-HAS-TEACHER KERAS-TEACHER-TRAINING UNTRAINED-TEACHER "
        "EMA-REVERSED ALIAS-TEACHER TARGET-IN-GRAPH",
        r"teacher.*(train|chang|statistic|copy)",
    ),
    _topic(
        r"(copies|repeats|copy|repeat).*(input|token|prompt)|garbage|gibberish|nonsense text"
        r"|复读|乱码|胡言|重复输入",
        "NO-SHIFT MASK-UNSHIFTED POSITIONS-SHIFTED MISALIGNED",
        r"shift|next token|neighbour|t \+ 1",
    ),
    _topic(
        r"(so|too|very|much|is|are|extremely|really) (small|tiny|low)|tiny|smaller|vanish|1e-\d"
        r"|negligible|太小|很小|这么小|特别小|偏小|小很多|非常小|几乎没(有)?(作用|影响)|不起作用",
        "KL-MEAN CLASS-MEAN NO-T2 MEAN-DIVIDED-AGAIN REDUCE-KWARG MICRO-BATCH-MEAN DIM-SEQ "
        "DIM-0 T-ONE-SIDE SOFTMAX-OF-SOFTMAX MASKED-MEAN",
        r"1/\(?[A-Z]|divid|nearly uniform|shrink|times too small|smaller",
    ),
    _topic(
        r"(so|too|very|is|are|extremely) (large|big|huge|high)\b|huge|hundreds|thousands|\b\d{4,}\b"
        r"|dominat|grows? with|特别大|太大|很大|这么大|越来越大"
        r"|越(?:训练?|跑|学|练)越[大高]|几[千万百]|偏大|上[千万百]"
        r"|主导|压过",
        "BATCHMEAN-3D DIM-SEQ TARGET-SUM MULTI-TEACHER-SUM T2-TWICE T-POW1 NO-ZERO-GRAD "
        "KL-TARGET-RAW KL-INPUT-RAW DEAD-NORM",
        r"\btimes (the|its|too|larger|that)|grows? with|sum over all|too large|is a sum\b",
    ),
    _topic(
        r"\bforget(s|ting)?\b|(model|network|student|it) forgot|old (class|task)|(first"
        r"|old) (task|accuracy)|遗忘|忘(了|光|得)"
        r"|旧(类|任务).*(掉|降|忘|差|0)|(第一个|之前的?)任务.*(掉|降|随机|差|0)",
        "SCALE-INVERTED SHARES-SWAPPED HEAD-ANEW ALIAS-TEACHER SELF-TARGET LAST-CLASSES "
        "EMPTY-SLICE SLICE-DIM0 LABEL-OFFSET STUDENT-CUT "
        "ITEM-IN-GRAPH TERM-ZERO ZERO-PADDED-LOGITS BCEWL-ON-PROBS KL-INPUT-PROBS DIM-0 "
        "SIG/SOFTMAX-MIX BCE-ON-SOFTMAX",
        r"old (classes|model|network)|trains nothing|teaches nothing|\bis 0\b",
    ),
    _topic(
        r"no (effect|difference|influence|gradient)|(does|do|changes?) nothing"
        r"|same as without|unused"
        r"|not (updat|train)|n't (updat|train)|never (updat|train)|没(有)?(作用|效果|区别"
        r"|反应|影响|体现)"
        r"|不起作用|不(被)?更新|会被?更新|和(单独|不)",
        "STUDENT-CUT ITEM-IN-GRAPH GRAPH-CUT STUDENT-NO-GRAD NOT-IN-OPTIMIZER LAYER-IN-LOSS "
        "FRESH-ADAPTER LOSS-UNUSED ALIAS-TEACHER SELF-TARGET TERM-ZERO KL-MEAN NO-T2 DEAD-NORM "
        "T-IGNORED SUM-OVERWRITTEN",
        r"trains nothing|teaches nothing|no gradient|without gradient|not given them|never used"
        r"|is 0\b|not used|has no effect|nothing that|cut off|no optimi",
    ),
    _topic(
        r"(?!.*\b(to|reach(es)?|become|be) (0|zero)\b)"
        r"((\bnot|n't|never) (\w+ )?(fall|decreas|chang|mov|go(es|ing)?\b|converg|learn"
        r"|improv|drop)"
        r"|stuck|plateau|stopped (learning|improving)|(is|stays|remains|loss) constant"
        r"|flat\b|barely|chance|不(怎么)?(下降|降|收敛|变|动|涨)"
        r"|降不下|不学习|学不到|学不会"
        r"|恒定|常数|卡在|停在|上不去|到不了|降不到)",
        "STUDENT-CUT ITEM-IN-GRAPH GRAPH-CUT STUDENT-NO-GRAD NOT-IN-OPTIMIZER ALIAS-TEACHER "
        "SELF-TARGET STUDENT-UNUSED ZERO-GRAD-LATE CE-ON-PROBS BCEWL-ON-PROBS SOFTMAX-OF-SOFTMAX "
        "KERAS-SOFTMAX-TWICE KERAS-FROM-LOGITS TARGET-SUM NO-ZERO-GRAD EMA-REVERSED DIM-0 DIM-SEQ "
        "LAYER-IN-LOSS FRESH-ADAPTER STUDENT-EVAL-MODE KL-INPUT-PROBS KL-INPUT-RAW "
        "T-INVERTED T-ONE-SIDE SIDES-DIFFER",
        r"trains nothing|teaches nothing|no gradient|cannot (fall|reach)|nearly (uniform|vanish)"
        r"|is 0\b|not given them|almost no gradient|never used|same object",
    ),
)
"""What a reader sees when the code is run, and the mistakes that explain it."""

CLAUSES = re.compile(r"\s*[，,；;、]\s*|\s+(?:and|while|but)\s+|并且|而且|同时|以及|还有")
"""What stands between two symptoms of one sentence."""

SYMPTOMS_OF_NEGATIVE = frozenset(
    kind for topic in SYMPTOMS if topic.asks.search("negative") for kind in topic.kinds
)
"""Mistakes that can make a loss negative."""

TROUBLE = re.compile(
    r"worse|no better|not better|drops?\b|dropped|low(er)?\b|stuck|fails?\b|poor|bad\b"
    r"|collaps|noisy"
    r"|near (0|zero|chance)|at \d+ ?%|garbage|something is off|what('s| is| am i) (going on"
    r"|missing)"
    r"|变差|越来越差|差了|没起作用|stopped (learning|improving)|下降|降不下|不下降|不收敛"
    r"|掉(了|得|点)|很低|还低|(准确率|精度|acc).{0,12}低|很差"
    r"|不好|没(有)?(提升"
    r"|提高)|崩|塌|不如|更低|抖|波动|上不去",
    re.IGNORECASE,
)
"""A training that goes badly, for which any mistake may be the cause."""

SUBJECTS: tuple[Topic, ...] = (
    _topic(
        r"deep ?copy|\bcopy\b|副本|拷贝", "ALIAS-TEACHER SELF-TARGET", r"not a copy|same object"
    ),
    _topic(r"\bitem\b", "GRAPHS-KEPT ITEM-IN-GRAPH", r"\.item"),
    _topic(
        r"\bmask|\bpad(ding)?\b|-100|ignore_index|掩码|填充",
        "MASKED-MEAN MASK-UNSHIFTED PAD-UNMASKED REDUCED-THEN-MASKED DEAD-MASK REDUCE-KWARG "
        "INF-MASK MASK-SIGN NO-SHIFT", r"\bmask|padding|selection",
    ),
    _topic(
        r"\bshift|align|off by one|\[:, ?:-1\]|\[:, ?1:\]|移位|错位|错开|对齐",
        "NO-SHIFT MASK-UNSHIFTED POSITIONS-SHIFTED MISALIGNED", r"shift|neighbour",
    ),
    _topic(
        r"\bdim(ension)?s?\b|\baxis\b|\bview\b|permute|reshape|flatten|normali[sz]|哪一维"
        r"|维度|归一化|池化",
        "DIM-0 DIM-SEQ DIM-MISSING DIM-NORM NO-KEEPDIM BATCHMEAN-3D KEEPDIM DEAD-NORM "
        "COPYPASTE-NORM", r"\bdim\b|\baxis\b|\bview\b|dimension|flatten|normali[sz]|permute",
    ),
    _topic(
        r"\border\b|(?<!no )(?<!without )arguments?|swap|reversed?\b|way (a)?round|y_true"
        r"|exchanged|mixed up"
        r"|which (one )?"
        r"(goes|comes|is) first|顺序|反了|写反|弄反|搞反|放前|换过来|方向",
        "SWAPPED ARGS-REVERSED KERAS-SWAPPED EMA-REVERSED JS-EXCHANGED JSD-WRONG KL-INPUT-PROBS "
        "KL-TARGET-LOG", r"exchang|reverse|order of|y_true",
    ),
    _topic(
        r"\bsign\b|\bminus\b|符号|正负|加号|减号",
        "SIGN-MISSING SIGNED-DIFFERENCE", r"\bsign|instead of [-−]|with a minus|−",
    ),
    _topic(
        r"temperature|\bT ?(\^|\*\*) ?2|T²|\btau\b|(?-i:\bT\b)|温度|T ?的?平方",
        "T-ONE-SIDE T-INVERTED NO-T2 T-POW1 T2-TWICE T²-TWICE T-TWICE T-MISMATCH HARD-CE-AT-T "
        "T-IGNORED T-OUTSIDE-SOFTMAX UNDEFINED-T KERAS-NO-T2", r"temperature|T²|T\*\*2|\btau\b",
    ),
    _topic(
        r"each other|other (net|model)|互相影响|另一个(网络|模型)|detach|no_grad|gradient"
        r"|retain_graph|requires_grad|梯度|带偏|freez|冻结",
        "TARGET-IN-GRAPH STUDENT-CUT STUDENT-NO-GRAD ITEM-IN-GRAPH GRAPH-CUT DETACH-NOOP "
        "SUM-OUTLIVES OPT-HAS-TEACHER TEACHER-GRAD", r"detach|gradient|graph|no_grad",
    ),
    _topic(
        r"reduction|batchmean|(no|without) arguments|\bdefault|默认|不带参数|\bmean\b|average"
        r"|divid|平均|除以|归约",
        "KL-MEAN BATCHMEAN-3D CLASS-MEAN MASKED-MEAN MEAN-DIVIDED-AGAIN REDUCE-KWARG "
        "MULTI-TEACHER-SUM TARGET-SUM MICRO-BATCH-MEAN",
        r"reduction|batchmean|divid|\bmean\b|average",
    ),
    _topic(
        r"optimi[sz]er|parameters|updat|regressor|projector|1x1|优化器|参数(会|没|更新)|投影"
        r"|回归层|更新",
        "NOT-IN-OPTIMIZER LAYER-IN-LOSS FRESH-ADAPTER OPT-HAS-TEACHER STUDENT-NO-GRAD",
        r"optimi[sz]er|parameters",
    ),
    _topic(
        r"slic|old classes|columns|n_old|known|切片|切出|旧类|新类|前.{0,3}类",
        "LAST-CLASSES EMPTY-SLICE SLICE-DIM0 SLICE-AFTER-SOFTMAX LABEL-OFFSET HEAD-MISMATCH "
        "ZERO-PADDED-LOGITS", r"slic|columns|old classes|cut ",
    ),
    _topic(
        r"\beval\b|train\(\)|batch ?norm|\bbn\b|dropout|训练模式|评估模式",
        "TEACHER-TRAIN-MODE BN-DRIFT STUDENT-EVAL-MODE VALIDATED-IN-TRAINING "
        "KERAS-TEACHER-TRAINING",
        r"training mode|eval|BatchNorm",
    ),
    _topic(
        r"\bema\b|moving average|mean.?teacher|momentum|滑动平均|动量",
        "EMA-REVERSED PARAMETER-REBOUND", r"average|momentum",
    ),
    _topic(
        r"soft ?max|log_softmax|sigmoid|probabilit|\blogs?\b|logarithm|概率|对数",
        "KL-INPUT-PROBS KL-INPUT-RAW KL-TARGET-LOG KL-TARGET-RAW CE-ON-PROBS BCEWL-ON-PROBS "
        "SOFTMAX-OF-SOFTMAX LOG-OF-SOFTMAX BCE-ON-SOFTMAX SIG/SOFTMAX-MIX KERAS-FROM-LOGITS "
        "KERAS-SOFTMAX-TWICE MIXED-SPACE SLICE-AFTER-SOFTMAX ARGS-REVERSED CE-TARGET-RAW "
        "T-OUTSIDE-SOFTMAX", r"softmax|sigmoid|probabilit|logits",
    ),
    _topic(
        r"alpha|beta|lambda|\blam\b|weight|gamma|coefficient|权重|系数|比例",
        "WEIGHT-TYPO NON-CONVEX NO-T2 KL-MEAN EMA-REVERSED",
        r"weight of|weights? (and|beside|are)|never used",
    ),
    _topic(
        r"zero_grad|清零|accumul|累积", "NO-ZERO-GRAD ZERO-GRAD-LATE SUM-OUTLIVES",
        r"zero_grad|clear",
    ),
)  # fmt: skip
"""What in the code a question is about, and the mistakes with it."""
SQUARES = _topic(
    r"\bT ?(\^|\*\*) ?2|T²|\bT ?\* ?T\b|T squared|temperature squared|T ?的?平方|乘.{0,3}平方",
    "NO-T2 T-POW1 T2-TWICE T²-TWICE KERAS-NO-T2 T-IGNORED",
    r"T²|T\*\*2",
)
"""The factor T², which another mistake with the temperature does not settle."""
EVALUATION = next(t for t in SUBJECTS if "TEACHER-TRAIN-MODE" in t.kinds)
SLICES = next(t for t in SUBJECTS if "EMPTY-SLICE" in t.kinds and "LAST-CLASSES" in t.kinds)
IDENTITIES: tuple[Topic, ...] = (
    _topic(r"jensen|\bjsd?\b|js ?散度", "JSD-WRONG JS-EXCHANGED", r"Jensen"),
    _topic(
        r"forward|正向|前向|反向"
        r"|reverse",
        "SWAPPED KERAS-SWAPPED",
        r"reverse",
    ),
)
"""What a question takes the code for, and the mistakes that make it another thing."""

_TO_ADD = (
    "NO-T2 T-ONE-SIDE T-POW1 TARGET-IN-GRAPH TEACHER-TRAIN-MODE BN-DRIFT NO-ZERO-GRAD PAD-UNMASKED "
    "NO-SHIFT MASK-UNSHIFTED NOT-IN-OPTIMIZER BATCHMEAN-3D KL-MEAN MASKED-MEAN GRAPHS-KEPT "
    "LABEL-OFFSET DEAD-NORM MULTI-TEACHER-SUM TARGET-SUM DIM-MISSING HEAD-MISMATCH KERAS-NO-T2 "
    "LOG-OF-SOFTMAX KL-INPUT-PROBS KL-INPUT-RAW"
)
TO_ADD = frozenset(_TO_ADD.split())
"""Mistakes that are something missing: whether it is needed is answered with yes."""
_TO_REMOVE = (
    "CE-ON-PROBS BCEWL-ON-PROBS SOFTMAX-OF-SOFTMAX T-TWICE T2-TWICE T²-TWICE DETACH-NOOP "
    "STUDENT-CUT MEAN-DIVIDED-AGAIN ABS-HIDES-NEGATIVE KERAS-SOFTMAX-TWICE STUDENT-NO-GRAD "
    "OPT-HAS-TEACHER HARD-CE-AT-T KL-TARGET-LOG CE-ON-LOGP"
)
TO_REMOVE = frozenset(_TO_REMOVE.split())
"""Mistakes that are something too much: whether it is needed is answered with no."""


NORMAL = either(
    r"\b(is|are) (this|that|it|these) (normal|expected|supposed)|\b(normal|expected|intended)\s*\?"
    r"|bug or (expected|a feature)|\bshould it be\b",
    r"正常的?(现象)?[吗么嘛]|正常(现象)?[?？]|正不正常|(是否|算不算|是不是)正常",
)
"""Whether it should be so."""
ANY_FAULT = either(
    r"(any|a|some) (bugs?|problems?|issues?|errors?|mistakes?)\b.*\?",
    r"(有没有|有(什么|啥)?|存在).{0,8}(问题|错|毛病|bug)|没(有)?问题吧|哪.{0,4}有问题",
)
"""Whether there is a mistake at all."""
AT_FAULT = either(
    r"\b(?<!what )(?<!where )(is|are|was|am|could|did|isn't|aren't)\b(?:(?!what|where"
    r"|[;.]).){0,48}\b(issue|problem"
    r"|cause|culprit|fault|reason|"
    r"wrong|bug|missing|forg[eo]t(ten)?|reversed|swapped|backwards|the other way|mixed up"
    r"|odd|strange)\b"
    r"|\b(is|are)\b.{0,24}\btoo (high|low|large|small|big)\b"
    r"|\b(?<!what )did i (forget|miss|mix|swap|break)",
    r"(是不是|是否|是|难道)(?!什么|哪|啥|怎么)(?:(?!什么|哪|啥).){0,16}(错|反了|写反|漏|问题"
    r"|原因|bug|缺|忘|太大|太小|太高|太低)(了|的)?.{0,3}(吗|么"
    r"|吧|？|\?)?"
    r"|(写|弄|搞|放)(错|反|漏)了?(吗|么|吧)",
)
"""Whether this or that is the mistake."""
RIGHT = either(
    r"\b(right|correct(ly)?|ok(ay)?|fine|valid|proper(ly)?|sound|legit|equivalent|equal"
    r"|the same|match"
    r"(es)?|as intended|make sense|true)\b",
    r"(对|正确|行|可以|合理|没错|等价|一致|一样|标准|成立|靠谱|好使)的?(吗|么|吧|不对|嘛)"
    r"|对不对|是否(正确|一致|等价|合理)"
    r"|可不可以|行不行|(写|用|算)(得|的)?对|是不是和",
)
"""Whether it is right."""
HAS_EFFECT = either(
    r"\b(does|do|did|will|would|is|are)\b.{0,40}\b(anything|effect|matter|used|updated?"
    r"|trained|warm|get a "
    r"gradient)\b",
    r"(有(没有)?|起).{0,3}(用|作用|效|影响)吗|会不会.{0,6}影响|学到.{0,6}吗|会(不会)?被?(更新|训练)"
    r"|更新(了)?吗|有用吗",
)
"""Whether something has an effect."""
NEEDED = either(
    r"\b(do (i|we) (really |still |even |also )?(need|have)|should i|should (it|this|there"
    r"|they|the)|need(ed)? to"
    r"|needs? (a|the|to)"
    r"|have to|must i|necessary|required|supposed to)\b",
    r"要不要|需不需要|还需要|需要.{0,12}(吗|么)|(应该|应当|应|用不用|必须|是否(需要|要)|是不是(要"
    r"|应该?)|要).{0,16}(吗|么|吧)",
)
"""Whether something is needed."""
TOO_MUCH = either(
    r"\btoo (high|low|large|small|big|much|little)\b", r"太(大|小|高|低|多|少)|过(大|小|高|低)"
)
"""Whether a value is out of proportion: what else is wrong is no yes to it."""
PERMISSION = either(r"^\W*(so |and |but |then )?(can|could|may) (i|we|one|it)\b",
                    r"能不能|可不可以|能否|可否")  # fmt: skip
"""Whether something may be done: what is wrong with the code is no no to it."""
CHOOSES = either(
    r"\b(which|how (large|big|much|many|high)|what (value|number)|choose)\b",
    r"多少|取几|怎么选|怎么设|如何选|哪一?个",
)
"""Which of several, or how much."""
WHERE = either(
    r"\bwhat('s| is| am i| did i| do i| are)\b.{0,30}\b(wrong|missing|doing wrong|mistake"
    r"|bug|off|miss)\b"
    r"|\bwhere('s| is| am i| did i| are)\b.{0,40}\b(wrong|bug|mistake|error|problem)s?\b|any ideas?"
    r"|what (could|might|can) (be|cause)|the (reason|cause)\b|^why( is that)?\??$"
    r"|how (do|can|should|to|would) (i |you )?(fix|solve|repair|change|improve)"
    r"|what (would|should|must|do|has) (you|i|to)?\W*(be )?(change|fix|improve)\w*|\bhelp\b"
    r"|check|review|look over|going on",
    r"(哪|什么|啥).{0,6}(错|不对|问题|毛病|原因)|(怎么|如何)(回事|解决|改|修|办)|改(哪里|哪儿|哪些|什么)|咋(回事|整|办)|求(助"
    r"|解|大佬|教|指)"
    r"|看看|看下|看一下|指点|检查|该怎么|解答|原因",
)
"""What is wrong, where, and what to do."""
WHY = either(
    r"\bwhy\b|how come|what (causes|makes)|reason",
    r"为什么|为何|为啥|怎么会|原因|怎么(这么|老|总|一直)",
)

NO = Text("No: {found}", "不对：{found}")
MAY_NOT_GO = Text("No: {found}", "不行：{found}")
SHOULD_GO = Text("Yes, it should go: {found}", "可以，而且应该去掉：{found}")
NO_EFFECT = Text("No: {found}", "不会：{found}")
YES = Text("Yes: {found}", "是的：{found}")
YES_NEEDED = Text("Yes: {found}", "要：{found}")
NO_NEED = Text("No: {found}", "不要：{found}")
THERE_IS = Text("Yes: {found}", "有问题：{found}")
THERE_ARE = Text("Yes, {n} things: {found}", "有，{n} 处：{found}")
NOT_NORMAL = Text("Not as it should be: {found}", "不正常：{found}")
HAS_IT = Text("Yes: {found}", "会：{found}")
CAUSE = Text("This is the cause: {found}", "原因就在这里：{found}")
CAUSE_AT = Text("Line {line} is the cause: {found}", "原因在第 {line} 行：{found}")
LIKELY = Text(
    "The likeliest cause in what is shown: {found}", "从贴出的代码看，最可能的原因是：{found}"
)
AS_WRITTEN = Text("As the code stands: {found}", "照现在的写法：{found}")
ANOTHER = Text("What was found is something else: {found}", "查到的是另一处：{found}")
PLAIN = Text("{found}", "{found}")
REMARK = Text(
    "No error was found, but this is to be known: {found}", "没有查到错误，但要注意：{found}"
)
NEEDS_MORE = Text(
    " To find the cause, the training loop, the optimiser, the models and the data would have to "
    "be shown.",
    "要找原因，还需要看到训练循环、优化器、模型和数据。",
)
NONE_FOUND = Text(
    "No mistake was found in the code that is shown. {what}", "贴出的代码里没有发现错误。{what}"
)
