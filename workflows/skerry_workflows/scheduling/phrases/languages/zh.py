"""Chinese, in simplified characters."""

# ruff: noqa: E501 -- a sign counts as two columns, and the lines are short to read

from __future__ import annotations

from skerry_workflows.scheduling.phrases.language import Language

_DIGITS = "一二三四五六七八九"


def numbers() -> dict[str, int]:
    """The numbers up to 99 in Chinese characters; Japanese writes them the same."""
    ones = {sign: n for n, sign in enumerate(_DIGITS, start=1)}
    teens = {"十" + sign: 10 + n for sign, n in ones.items()}
    tens = {sign + "十": 10 * n for sign, n in ones.items() if n > 1}
    return {**ones, "十": 10, **teens, **tens, **{t + s: n + m for t, n in tens.items() for s, m in ones.items()}}


LANGUAGE = Language(
    code="zh",
    order="ymd",
    numbers={**numbers(), "两": 2, "零": 0},
    ordinals={},
    weak="日, 天, 现在, 早上, 上午, 下午, 晚上, 早, 春, 夏, 秋, 冬",
    marks="的, 我, 在, 是, 了, 们, 会, 去, 到",
    words={
        "WEEKDAY": {
            n: f"周{sign}, 星期{sign}, 礼拜{sign}" + (", 周天, 星期天, 礼拜天" if n == 6 else "") for n, sign in enumerate("一二三四五六日")
        },
        "MONTHMARK": {0: "月, 月份"}, "DAYMARK": {0: "日, 号"}, "YEARMARK": {0: "年"}, "HOURMARK": {0: "点, 点钟, 时"},
        "MINUTEMARK": {0: "分, 分钟"}, "CLOCKHALF": {0: "半"},
        "UNIT": {
            "second": "秒, 秒钟", "minute": "分钟", "hour": "小时, 个小时, 钟头, 个钟头", "day": "天, 日", "week": "周, 星期, 个星期, 礼拜, 个礼拜",
            "month": "个月, 月", "year": "年", "workday": "工作日, 个工作日", "quarter": "季度, 个季度",
        },
        "DAYREF": {0: "今天, 今日", 1: "明天, 明日", -1: "昨天, 昨日", 2: "后天", -2: "前天", 3: "大后天", -3: "大前天"},
        "PARTREF": {"0 evening": "今晚, 今天晚上", "1 evening": "明晚", "-1 evening": "昨晚", "1 morning": "明早", "0 morning": "今早"},
        "PART": {"dawn": "凌晨, 清晨", "morning": "早上, 上午, 早晨", "noon": "中午", "afternoon": "下午", "evening": "晚上, 傍晚", "night": "夜里, 深夜"},
        "NOW": {0: "现在, 马上, 立刻, 目前"}, "REL": {0: "这, 这个, 本, 今", 1: "下, 下个, 下一, 下一个, 明", -1: "上, 上个, 上一, 上一个, 去, 过去",
                2: "下下, 下下个", -2: "上上, 上上个"},
        "HALF": {0: "半, 半个"}, "FEW": {0: "几, 几个"}, "OF": {0: "的"}, "AT": {0: "在"}, "IN": {0: "在"}, "ON": {0: "在"},
        "FROM": {0: "从, 自"}, "TO": {0: "到, 至"}, "UNTIL": {0: "到, 直到"}, "AND": {0: "和, 与"}, "BEFORE": {0: "早于"}, "AFTER": {0: "晚于"},
        "OREARLIER": {0: "之前, 以前, 前"}, "ORLATER": {0: "之后, 以后, 后"}, "SINCE": {0: "自从"}, "AGO": {0: "前, 之前, 以前"},
        "HENCE": {0: "后, 之后, 以后"}, "ABOUT": {0: "大约, 大概"}, "EDGE": {"start": "初, 年初, 月初"}, "EVERY": {0: "每, 每个, 每一"},
        "EDGEUNIT": {"end month": "月底", "end year": "年底", "end week": "周末前", "start month": "月初", "start year": "年初"},
        "WEEKEND": {0: "周末"}, "NOT": {0: "不, 除了, 不要"}, "AM": {"am": "am"}, "PM": {"pm": "pm"},
        "HOLIDAY": {"new year": "元旦", "christmas": "圣诞节, 圣诞", "christmas eve": "平安夜", "labour": "劳动节", "valentine": "情人节"},
        "MEET": {0: "会议, 开会, 见面, 会面, 电话, 约, 面试, 讨论"}, "WITH": {0: "和, 跟, 与"}, "FLEX": {0: "随时"},
        "REQUEST": {0: "可以, 能, 请, 想, 吗"}, "DUE": {0: "截止, 最晚"},
    },
)  # fmt: skip
