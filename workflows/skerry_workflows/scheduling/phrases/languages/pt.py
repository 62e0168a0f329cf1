"""Portuguese."""

from __future__ import annotations

from skerry_workflows.scheduling.phrases.language import Language

_TO_19 = [
    "um",
    "dois",
    "três",
    "quatro",
    "cinco",
    "seis",
    "sete",
    "oito",
    "nove",
    "dez",
    "onze",
    "doze",
    "treze",
    "catorze",
    "quinze",
    "dezesseis",
    "dezessete",
    "dezoito",
    "dezenove",
]
_TENS = {20: "vinte", 30: "trinta", 40: "quarenta", 50: "cinquenta", 60: "sessenta", 70: "setenta", 80: "oitenta",
         90: "noventa"}  # fmt: skip


def _numbers() -> dict[str, int]:
    numbers = {word: n for n, word in enumerate(_TO_19, start=1)}
    for ten, word in _TENS.items():
        numbers |= {word: ten, **{f"{word} e {one}": ten + n for n, one in enumerate(_TO_19[:9], start=1)}}
    return {**numbers, "duas": 2, "quatorze": 14, "dezasseis": 16, "dezassete": 17, "dezanove": 19, "cem": 100}


def _ordinals() -> dict[str, int]:
    stems = ["primeir", "segund", "terceir", "quart", "quint", "sext", "sétim", "oitav", "non", "décim"]
    return {stem + end: n for n, stem in enumerate(stems, start=1) for end in ("o", "a", "os", "as")}


LANGUAGE = Language(
    code="pt",
    order="dmy",
    numbers=_numbers(),
    ordinals=_ordinals(),
    weak=(
        "já, mar, sex, dom, set, mai, segunda, terça, quarta, quinta, sexta, segundo, agora, verão, outono, "
        "inverno, natal, primavera, manhã, tarde, noite, seg, ter, qua, qui, sab, ago, dez, out, um"
    ),
    marks=(
        "o, a, os, as, e, é, de, do, da, em, no, na, que, não, para, com, um, uma, por, eu, vou, nos, obrigado, "
        "às, ao"
    ),
    words={
        "WEEKDAY": {0: "segunda-feira, segunda, seg", 1: "terça-feira, terça", 2: "quarta-feira, quarta",
            3: "quinta-feira, quinta", 4: "sexta-feira, sexta", 5: "sábado, sáb", 6: "domingo, dom",
        },
        "MONTH": {1: "janeiro, jan", 2: "fevereiro, fev", 3: "março, mar", 4: "abril, abr", 5: "maio, mai",
            6: "junho, jun", 7: "julho, jul", 8: "agosto, ago", 9: "setembro, set", 10: "outubro, out",
            11: "novembro, nov", 12: "dezembro, dez",
        },
        "UNIT": {"second": "segundo, segundos, seg", "minute": "minuto, minutos, min", "hour": "hora, horas, h",
            "day": "dia, dias", "workday": "dia útil, dias úteis", "week": "semana, semanas",
            "fortnight": "quinzena", "month": "mês, meses", "quarter": "trimestre, trimestres", "year": "ano, anos",
            "decade": "década, décadas", "century": "século, séculos", "night": "noite, noites",
        },
        "UNITS": {"day": "dias", "week": "semanas", "month": "meses"},
        "DAYREF": {0: "hoje", 1: "amanhã", -1: "ontem", 2: "depois de amanhã", -2: "anteontem, antes de ontem"},
        "PARTREF": {"0 night": "esta noite, hoje à noite", "-1 night": "ontem à noite", "0 morning": "esta manhã",
            "0 afternoon": "esta tarde", "1 morning": "amanhã de manhã",
        },
        "PART": {"dawn": "madrugada", "morning": "manhã, manhãs", "noon": "meio-dia, meio dia",
            "lunch": "almoço, hora do almoço", "afternoon": "tarde, tardes", "night": "noite, noites",
            "dinner": "jantar",
        },
        "NOW": {0: "agora, agora mesmo, já, imediatamente, neste momento, o mais rápido possível"},
        "REL": {0: "este, esta, estes, estas, esse, essa, neste, nesta, nesse, nessa, deste, desta",
            1: "próximo, próxima, próximos, próximas, seguinte",
            -1: "último, última, últimos, últimas, passado, passada",
        },
        "RELPOST": {1: "que vem, seguinte, próximo, próxima, seguintes, próximos, próximas",
            -1: "passado, passada, passados, passadas, anterior, último, última, últimos, últimas",
            0: "corrente, atual",
        },
        "SAME": {0: "mesmo, mesma"},
        "LAST": {0: "último, última, últimos, últimas"},
        "A": {1: "um, uma, outro, outra"},
        "HALF": {0: "meio, meia, metade"},
        "FEW": {0: "alguns, algumas, uns, umas, poucos, poucas, vários, várias"},
        "COUPLE": {0: "par"},
        "QUARTERMARK": {15: "quarto, um quarto"},
        "QUARTEROF": {0.25: "quarto"},
        "OF": {0: "de, do, da, dos, das, em, deste, desta"},
        "IN": {0: "em, no, na, de, da, do, à, pela, às, ao, para"},
        "ON": {0: "em, no, na, para, do, da, dia"},
        "AT": {0: "às, as, à, ao, pelas, por volta das, a partir das"},
        "DURING": {0: "durante"},
        "THE": {0: "o, a, os, as, no, na, do, da, pelo, pela"},
        "THEDAY": {0: "dia, o dia, no dia, do dia, ao dia"},
        "FROM": {0: "de, do, da, das, desde, a partir de, a partir do, a partir das, desde as"},
        "TO": {0: "a, ao, à, às, até, até às, até as, até o, até ao"},
        "UNTIL": {0: "até, até o, até a, até ao, até às, até as"},
        "BETWEEN": {0: "entre, entre as, entre o"},
        "AND": {0: "e, e as, e o, &"},
        "OR": {0: "ou"},
        "BEFORE": {0: "antes de, antes do, antes da, antes das"},
        "AFTER": {0: "depois de, depois do, depois da, depois das, após, após as, após o"},
        "BY": {0: "até, até o, até a, até ao, até às, o mais tardar"},
        "SINCE": {0: "desde, desde o, desde a, desde as, a partir de, a partir do, a partir da, a partir das"},
        "STARTING": {0: "a partir de, a partir do"},
        "FOR": {0: "por, durante, para"},
        "ORLATER": {0: "ou mais tarde, ou depois, em diante"},
        "OREARLIER": {0: "ou antes, o mais tardar, no máximo"},
        "WITHIN": {0: "em menos de"},
        "INDUR": {0: "em, dentro de, daqui a, daqui"},
        "AGOPRE": {0: "há, faz"},
        "AGO": {0: "atrás, antes"},
        "HENCE": {0: "depois, mais tarde, a partir de agora, a partir de hoje"},
        "ABOUT": {0: "cerca de, aproximadamente, quase, uns, umas"},
        "MORE": {0: "mais de, pelo menos"},
        "LESS": {0: "menos de"},
        "EDGEPRE": {"start": "início, começo, o início, no início", "middle": "meio, meados, em meados",
            "end": "fim, final, o fim, o final, no final, no fim",
        },
        "EDGE": {"start": "início, começo, o início, no início", "middle": "meio, meados, em meados",
            "end": "fim, final, o fim, o final, no final, no fim",
        },
        "EDGEUNIT": {"end day": "fim do dia, final do dia", "end month": "fim do mês",
            "end year": "fim do ano, fim de ano",
        },
        "EARLY": {"early": "cedo, início da"},
        "LATE": {"late": "final da, fim da"},
        "AM": {"am": "am, a.m., da manhã, da madrugada"},
        "PM": {"pm": "pm, p.m., da tarde, da noite"},
        "OCLOCK": {0: "horas, hora, em ponto, hrs, hs"},
        "HMARK": {0: "h"},
        "MINUTEWORD": {0: "minutos, minuto"},
        "NOON": {0: "meio-dia, meio dia"},
        "MIDNIGHT": {0: "meia-noite, meia noite"},
        "CLOCKAND": {0: "e"},
        "CLOCKMINUS": {0: "menos"},
        "CLOCKPART": {30: "meia", 15: "um quarto, quarto"},
        "ORDMARK": {0: "º, o, ª"},
        "QMARK": {0: "t"},
        "QUARTERWORD": {0: "trimestre"},
        "DECADEPRE": {0: "anos, os anos"},
        "YEARWORD": {0: "ano"},
        "WEEKWORD": {0: "semana"},
        "SEASON": {"spring": "primavera", "summer": "verão", "autumn": "outono", "winter": "inverno"},
        "WEEKEND": {0: "fim de semana, fim-de-semana, final de semana"},
        "EVERY": {0: "cada, todo, toda, todos os, todas as, todo o, toda a"},
        "FREQ": {"DAILY": "diariamente, diário", "WEEKLY": "semanalmente, semanal", "MONTHLY": "mensalmente, mensal",
            "YEARLY": "anualmente"},
        "NOT": {0: "não, exceto, menos, salvo"},
        "ZONE": {"UTC": "utc, gmt, z"},
        "TMARK": {0: "t"},
        "UTCMARK": {"UTC": "z"},
        "HOLIDAY": {"new year": "ano novo, dia de ano novo", "new year eve": "véspera de ano novo, réveillon",
            "good friday": "sexta-feira santa", "easter": "páscoa", "labour": "dia do trabalho, dia do trabalhador",
            "all souls": "finados", "christmas eve": "véspera de natal", "christmas": "natal, dia de natal",
            "corpus christi": "corpo de deus",
        },
        # ---- meetings and deadlines ----------------------------------------------------------------------------------
        "MEET": {
            0: "reunião, encontro, encontrar, reunir, chamada, ligação, conversar, falar, entrevista, "
            "videoconferência, café, disponível, disponibilidade, agendar, marcar, discutir, "
            "livre, almoço",
        },
        "MOVE": {0: "remarcar, adiar, mover, reagendar"},
        "WITH": {0: "com"},
        "FLEX": {0: "flexível, qualquer hora, quando quiser, quando puder"},
        "DUE": {0: "prazo, data limite, vence, vence em, o mais tardar"},
        "ROOM": {0: "sala, escritório, café, restaurante, sede"},
        "REQUEST": {
            0: "podemos, poderíamos, pode, poderia, por favor, gostaria, que tal, tem, está, quando, proponho",
        },
    },
)  # fmt: skip
