"""Japanese."""

# ruff: noqa: E501 -- a sign counts as two columns, and the lines are short to read

from __future__ import annotations

from skerry_workflows.scheduling.phrases.language import Language
from skerry_workflows.scheduling.phrases.languages.zh import numbers

LANGUAGE = Language(
    code="ja",
    order="ymd",
    numbers=numbers(),
    ordinals={},
    weak="日, 今, 春, 夏, 秋, 冬, 朝, 夜, 前, 後, 夕方",
    marks="の, は, を, に, が, で, す, ま, と",
    words={
        "WEEKDAY": {n: f"{sign}曜日, {sign}曜" for n, sign in enumerate("月火水木金土日")},
        "MONTHMARK": {0: "月"}, "DAYMARK": {0: "日"}, "YEARMARK": {0: "年"}, "HOURMARK": {0: "時"}, "MINUTEMARK": {0: "分"},
        "CLOCKHALF": {0: "半"}, "ERA": {2018: "令和", 1988: "平成", 1925: "昭和", 1911: "大正", 1867: "明治"},
        "UNIT": {
            "second": "秒, 秒間", "minute": "分, 分間", "hour": "時間", "day": "日, 日間", "week": "週, 週間", "month": "か月, ヶ月, カ月, 月, ヵ月, か月間",
            "year": "年, 年間", "workday": "営業日", "quarter": "四半期",
        },
        "DAYREF": {0: "今日, 本日", 1: "明日, あした, あす", -1: "昨日, きのう", 2: "明後日, あさって", -2: "一昨日, おととい"},
        "PARTREF": {"0 evening": "今晩", "0 night": "今夜", "0 morning": "今朝", "-1 night": "昨夜, 昨晩"},
        "PART": {"dawn": "明け方, 早朝", "morning": "午前, 朝, 午前中", "noon": "正午, お昼, 昼", "afternoon": "午後", "evening": "夕方, 晩", "night": "夜, 深夜"},
        "NOW": {0: "今, 現在, 今すぐ"}, "REL": {0: "今, この, 本", 1: "来, 次の, 翌, 来る", -1: "先, 前の, 去, 昨, 過去", 2: "再来", -2: "先々"},
        "HALF": {0: "半"}, "FEW": {0: "数"}, "OF": {0: "の"}, "IN": {0: "に, の"}, "AT": {0: "の"}, "ON": {0: "の"}, "FROM": {0: "から"},
        "TO": {0: "から, ~"}, "AND": {0: "と"}, "ORLATER": {0: "以降, 以後, から, 後"}, "OREARLIER": {0: "まで, 以前, 前, までに"},
        "AGO": {0: "前, 前に"}, "HENCE": {0: "後, 後に"}, "ABOUT": {0: "約, およそ"}, "EVERY": {0: "毎"}, "WEEKEND": {0: "週末"},
        "EDGEUNIT": {"end month": "月末", "end year": "年末", "start year": "年始"}, "NOT": {0: "以外"}, "AM": {"am": "am"}, "PM": {"pm": "pm"},
        "HOLIDAY": {"new year": "元日, 元旦", "christmas": "クリスマス", "christmas eve": "クリスマスイブ", "valentine": "バレンタインデー"},
        "MEET": {0: "会議, 打ち合わせ, ミーティング, 面談, 電話, 面接, 相談, お会い"}, "WITH": {0: "と"}, "FLEX": {0: "いつでも"},
        "REQUEST": {0: "ください, いかが, お願い, ませんか, でしょうか, ますか"}, "DUE": {0: "締切, 期限"},
    },
)  # fmt: skip
