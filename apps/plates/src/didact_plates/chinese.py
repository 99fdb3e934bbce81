"""The catalogue: what the application says in English, and the same in Chinese."""

TEXTS = {
    "--lang is {language}; expected en or zh": "--lang 的值是 {language}；应为 en 或 zh",
    "Read Chinese licence plates from photographs.": "从照片中识别中国车牌。",
    "Print the version and stop.": "打印版本号后退出。",
    "en or zh; that of the locale by default.": "en 或 zh；默认随系统区域设置。",
    "error: {error}": "错误：{error}",
    "interrupted": "已中断",
    "cannot read or write {file}: {reason}": "无法读写 {file}：{reason}",
    "what was to be printed": "要打印的内容",
    "there is not enough memory for this": "内存不足",
}

COMPLAINTS = (
    (r"Missing command\.", "缺少命令。"),
    (r"No such command '(.*)'\.", "没有命令 '{}'。"),
    (r"No such option: (\S+) Did you mean (.*)\?", "没有选项 {}，是否想写 {}？"),
    (r"No such option: (\S+) \(Possible options: (.*)\)", "没有选项 {}（可能是：{}）"),
    (r"No such option: (\S+)", "没有选项 {}"),
    (r"Missing argument '(.*)'\.", "缺少参数 '{}'。"),
    (r"Missing option '(.*)'\.", "缺少选项 '{}'。"),
    (r"Option '(.*)' requires an argument\.", "选项 '{}' 需要一个值。"),
    (r"Option '(.*)' does not take a value\.", "选项 '{}' 不带值。"),
    (r"Got unexpected extra arguments? \((.*)\)", "多出了参数 {}"),
    (
        r"Invalid value for '(.*)': '?(.*?)'? is not a valid (?:int|integer)\.",
        "'{}' 的值无效：{} 不是整数。",
    ),
    (
        r"Invalid value for '(.*)': '?(.*?)'? is not a valid (?:float|number)\.",
        "'{}' 的值无效：{} 不是数。",
    ),
    (
        r"Invalid value for '(.*)': (\S+) is not in the range (.*)\.",
        "'{}' 的值无效：{} 不在范围 {} 内。",
    ),
)
"""What typer says of a command line, as a pattern, and the same in Chinese."""
