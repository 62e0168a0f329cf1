"""What unwanted mail is about and how it speaks, as classes of wording in several languages.

Each class counts once, however often it is met: a newsletter may speak of money on every line. Written from general
knowledge of such mail; nothing here is taken from a collection of messages.
"""

from __future__ import annotations

import re
from typing import Final


def _of(*patterns: str) -> re.Pattern[str]:
    """Any of these, each a group of its own: `lastindex` of a match says which it was."""
    return re.compile("|".join(f"({pattern})" for pattern in patterns), re.IGNORECASE)


TOGETHER: Final = frozenset(("advance fee", "outreach"))
"""Classes of wording that lawyers, banks and agencies use as well: one alone says little, several together much."""


CLASSES: Final[dict[str, tuple[float, re.Pattern[str]]]] = {
    "money": (
        1.2,
        _of(
            r"\b(?:make|earn|earning|making)\s+(?:\w+\s+){0,3}(?:money|cash|\$\s?\d|income|thousands)",
            r"\b(?:extra|additional|second|residual|passive|monthly|weekly|six[- ]figure)\s+income\b",
            r"\bwork(?:ing)?\s+(?:from|at)\s+home\b", r"\bhome[- ]based\s+business",
            r"\bfinancial(?:ly)?\s+(?:freedom|free|independen)",
            r"\bget\s+(?:rich|paid)\b", r"\bbe\s+your\s+own\s+boss", r"\b(?:multi[- ]?level|network)\s+marketing\b",
            r"\bmlm\b",
            r"\bbusiness\s+opportunit", r"\bdownline\b", r"\bunlimited\s+(?:income|earning)", r"\bnebenverdienst",
            r"\bschnell(?:es)?\s+geld",
            r"\bgagne[rz]\s+(?:de\s+l')?argent", r"\bgan(?:e|ar)\s+dinero",
            r"\bguadagn\w+\s+(?:\w+\s+)?(?:denaro|soldi|da casa)",
            r"заработ\w+\s+(?:в\s+интернет|денег|дома)", r"\bpart[- ]time\b.{0,40}\$\s?\d",
        ),
    ),
    "debt": (
        1.4,
        _of(
            r"\bmortgage\s+(?:rates?|quotes?|loans?|lenders?|payments?)\b", r"\b(?:your|new|home)\s+mortgage\b",
            r"\brefinanc\w+", r"\b(?:consolidat\w+|reduc\w+|eliminat\w+)\s+(?:\w+\s+){0,3}debts?\b",
            r"\b(?:bad|poor|damaged|repair your|clean(?: up)? your)\s+credit\b",
            r"\bcredit\s+(?:card\s+)?(?:debt|repair|problems?)\b",
            r"\b(?:lowest|low|best)\s+interest\s+rates?\b",
            r"\b(?:home|cash|personal|payday|instant)\s+(?:equity\s+)?loans?\b",
            r"\bpre-?approved\b", r"\blife\s+insurance\b", r"\binsurance\s+quotes?\b",
            r"\bsofortkredit|\bkredit\s+ohne\s+schufa",
            r"\bcr[ée]dit\s+(?:rapide|sans)", r"\bpr[ée]stamos?\s+(?:r[áa]pido|personal)", r"\bforeclos",
            r"\blenders?\b.{0,80}\bcompete",
        ),
    ),
    "pills": (
        1.8,
        _of(
            r"\bv[i1!|]\W?a\W?g\W?r\W?a\b", r"\bc[i1!|]al[i1!|]s\b", r"\bphenter?mine\b", r"\bxanax\b",
            r"\bweight[- ]?loss\b",
            r"\blos(?:e|ing)\s+(?:\w+\s+){0,3}(?:weight|pounds|inches|lbs|kilos)",
            r"\b(?:burn|melt)\w*\s+(?:away\s+)?(?:body\s+)?fat\b",
            r"\bhuman\s+growth\s+hormone", r"\bhgh\b", r"\banti-?aging\b", r"\b(?:male|penis|breast)\s+enlarge",
            r"\bherbal\b",
            r"\b(?:online|no)\s+prescriptions?\b", r"\bonline\s+pharmac", r"\blibido\b", r"\bimpoten",
            r"\bpotenzmittel", r"\babnehmen\b.{0,40}\bkilo",
            r"\bstop\s+(?:smoking|snoring)\b", r"\bhair\s+loss\b", r"\bminceur\b", r"\badelgaz", r"\bwrinkle",
            r"\bdietary\s+supplement",
        ),
    ),
    "gambling": (
        1.6,
        _of(
            r"\b(?:online\s+)?casinos?\b", r"\bblackjack\b", r"\broulette\b", r"\blotter(?:y|ies)\b",
            r"\bloter[ií]a\b", r"\blotterie\b",
            r"\byou(?:'ve|\s+have)?\s+(?:\w+\s+){0,3}(?:won|been\s+selected|been\s+chosen)\b",
            r"\bclaim\s+your\s+(?:\w+\s+)?(?:prize|reward|gift|bonus)",
            r"\bsweepstakes?\b", r"\bwinning\s+(?:number|notification)", r"\bsie\s+haben\s+gewonnen",
            r"\bvous\s+avez\s+gagn",
            r"\bha\s+ganado\b", r"\bhai\s+vinto\b", r"вы\s+выиграли",
            r"\bgewinn\s+(?:jetzt\s+)?abholen|\bjetzt\s+gewinn\b",
            r"\brécupérez\s+votre\s+(?:gain|lot|prix)", r"\breclam[ea]\s+(?:su|tu)\s+premio",
            r"\britira\s+il\s+(?:tuo\s+)?premio",
            r"中奖|领取奖金|当選おめでとう",
        ),
    ),
    "advance fee": (
        2.5,
        _of(
            r"\bnext\s+of\s+kin\b", r"\b(?:million|m)\s+(?:united\s+states|us|u\.s\.)\s+dollars",
            r"\b(?:us\$|usd|\$|£|€)\s?\d+(?:[.,]\d+)*\s*(?:million|m\b)",
            r"\bforeign\s+(?:partner|bank\s+account)\b",
            r"\btransfer\s+(?:of\s+)?(?:this|these|the\s+said)\s+(?:sum|fund|money)", r"\bbarrister\b",
            r"\blate\s+(?:president|husband|father|general|mr)\b", r"\binheritance\b", r"\bbeneficiary\b",
            r"\bstrictly\s+confidential",
            r"\butmost\s+(?:confiden|secre|good)", r"\bcontract\s+sum\b", r"\bnigeria\b", r"\bwestern\s+union\b",
            r"\berbschaft\b", r"\bh[ée]ritage\b.{0,60}\bmillion",
        ),
    ),
    "bulk trade": (
        1.8,
        _of(
            r"\bbulk\s+e?-?mail", r"\b(?:million|thousand|fresh)s?\s+(?:of\s+)?(?:e-?mail\s+)?(?:addresses|leads)\b",
            r"\be-?mail\s+(?:lists?|leads|marketing\s+software)\b",
            r"\btargeted\s+(?:e?-?mail|traffic|visitors|leads)\b",
            r"\b(?:search\s+engine|website)\s+(?:ranking|submission|optimi[sz]ation|traffic)\b",
            r"\b(?:toner|ink(?:jet)?)\s+cartridges?\b",
            r"\b(?:university|bachelor|masters?|college)\W+(?:\w+\W+){0,4}(?:diplomas?|degrees?)\b.{0,80}\b(?:no|without|life)\b",
            r"\breplica\s+(?:watch|rolex)", r"\brolex\b", r"\bcable\s+descrambler", r"\bcopy\s+(?:any\s+)?dvds?\b",
            r"\boem\s+software\b",
            r"\bspy\s+(?:on|software|cam)", r"\bfind\s+out\s+anything\b", r"\bsatellite\s+tv\b",
            r"\bvacation\s+(?:package|giveaway)", r"\btimeshare\b",
            r"\bgenealogy|family\s+crest", r"\bherbal\s+smok", r"\bpenny\s+stock", r"\bstock\s+(?:alert|pick)",
            r"\bseo\s+services\b", r"\bguest\s+post\b",
        ),
    ),
    "offer": (
        1.0,
        _of(
            r"\b(?:100%|absolutely|totally|completely)\s+free\b",
            r"\bfree\s+(?:gift|trial|quote|sample|consultation|report|info(?:rmation)?|access|membership|cell|vacation|grant|bonus)\b",
            r"\brisk[- ]?free\b",
            r"\bno\s+(?:obligation|risk|cost|fees?|catch|gimmick|experience|strings|credit\s+check)\b",
            r"\bmoney[- ]?back\s+guarant", r"\bsatisfaction\s+guarantee", r"\b(?:limited|for\s+a\s+limited)\s+time\b",
            r"\b(?:special|exclusive|amazing|incredible)\s+(?:offer|deal|promotion|price)",
            r"\bact\s+(?:now|fast|today|immediately)\b", r"\border\s+(?:now|today|yours)\b",
            r"\bcall\s+(?:now|today|us\s+toll|toll[- ]?free|\W?1?-?8(?:00|66|77|88))",
            r"\b(?:don'?t\s+(?:miss|delete|wait)|hurry)\b", r"\bwhile\s+suppl",
            r"\bsave\s+(?:up\s+to\s+|over\s+)?\$?\d+\s?%?", r"\bas\s+seen\s+on\b", r"\bonce\s+in\s+a\s+lifetime\b",
            r"\bguaranteed\b", r"\bnur\s+(?:noch\s+)?(?:heute|für\s+kurze\s+zeit)",
            r"\bkostenlos\s+(?:testen|bestellen|anmelden)", r"\boffre\s+(?:exclusive|sp[ée]ciale|limit[ée]e)",
            r"\boferta\s+(?:exclusiva|especial|limitada)", r"\bofferta\s+(?:esclusiva|speciale|limitata)",
            r"\bgratuit\w*\b", r"только\s+сегодня",
        ),
    ),
    "click": (
        0.7,
        _of(
            r"\bclick\s+(?:\w+\s+){0,2}(?:here|below|on\s+the|this|link|now|the\s+(?:link|image|button))",
            r"\bclick\s+to\b", r"\bhier\s+klicken|klicken\s+sie\s+(?:bitte\s+)?(?:hier|auf)",
            r"\bcliquez\s+(?:ici|sur)",
            r"\bhaga\s+clic|\bclic\s+aqu[íi]", r"\bclicca\s+(?:qui|sul)", r"\bclique\s+aqui",
            r"нажмите\s+(?:здесь|сюда|на)", r"\bvisit\s+our\s+(?:web)?site\b",
        ),
    ),
    "excuse": (
        1.6,
        _of(
            r"\bthis\s+(?:e-?mail|message|mail)?\s*(?:is|was)\s+(?:not\s+(?:spam|unsolicited|sent\s+unsolicited)|never\s+sent\s+unsolicited)",
            r"\b(?:section\s+301|s\.?\s?1618|bill\s+1618|can-?spam)\b",
            r"\bone[- ]time\s+(?:e?-?mail|mailing|message|offer)\b",
            r"\bwe\s+(?:apologi[sz]e|are\s+sorry)\s+(?:for|if)\s+(?:any|you|this)",
            r"\bif\s+(?:you\s+)?(?:have\s+)?received\s+this\s+(?:e?-?mail|message)?\s*in\s+error"
            r"(?![\s\S]{0,80}\b(?:notify|delete|destroy|contact|inform|advise|return)\b)",
            r"\b(?:opt(?:ed)?[- ]?(?:in|out))\b", r"\bto\s+be\s+(?:removed|taken\s+off)\b",
            r"\b(?:remove|unsubscribe)\W{0,3}\s*(?:in|as)\s+(?:the\s+)?subject",
            r"\bremoval\s+(?:instruction|request)",
            r"\byou\s+(?:are|were)\s+receiv\w+\s+this\s+(?:\w+\s+){0,3}(?:because|as\s+a)\b.{0,80}\b(?:partner|affiliate|opt)",
            r"\bremoved?\s+(?:from\s+)?(?:our|this|future|the)\s+(?:mailing|list|database|mailings)",
            r"\bno\s+further\s+(?:e?-?mail|contact|mailing)", r"\bpartner\s+(?:web)?sites?\b",
        ),
    ),
    "account": (
        1.8,
        _of(
            r"\b(?:verify|confirm|update|validate|restore|reactivate|unlock)\s+(?:\w+\s+){0,3}(?:account|identity|password|billing|payment|mailbox)\b",
            r"\baccount\s+(?:\w+\s+){0,3}(?:suspend|limit|lock|deactivat|terminat|restrict|expire)",
            r"\b(?:unusual|suspicious|unauthori[sz]ed)\s+(?:\w+\s+)?(?:activity|sign|login|log-in|transaction)",
            r"\bmailbox\s+(?:\w+\s+){0,3}(?:full|quota|exceeded|storage)", r"\bpassword\s+(?:\w+\s+){0,3}expire",
            r"\bkonto\s+(?:\w+\s+){0,4}(?:gesperrt|eingeschränkt|bestätigen|verifizieren)",
            r"\b(?:bestätigen|verifizieren|aktualisieren)\s+sie\s+(?:\w+\s+){0,3}(?:konto|daten|identität|zahlung)",
            r"\bcompte\s+(?:\w+\s+){0,4}(?:suspendu|bloqué|limité|vérifier)",
            r"\bv[ée]rifiez\s+(?:\w+\s+){0,2}(?:compte|identit)",
            r"\bcuenta\s+(?:\w+\s+){0,4}(?:suspendida|bloqueada|verificar|limitada)",
            r"\bverifi(?:que|car)\s+su\s+cuenta", r"\bconto\s+(?:\w+\s+){0,4}(?:sospeso|bloccato|verificare)",
            r"\b(?:parcel|package|shipment|paket|colis|paquete)\s+(?:\w+\s+){0,5}(?:could\s+not\s+be\s+delivered|customs|fee|held|pending|gebühr|zoll)",
            r"\bpaquete\b.{0,80}\b(?:retenid|aduana|pague)", r"\bcolis\b.{0,80}\b(?:frais|douane|bloqu)",
            r"\bpaket\b.{0,80}\b(?:zollgebühr|versandgebühr|zurückgehalten)",
            r"\bpacco\b.{0,80}\b(?:dogana|trattenut|spese)",
            r"\b(?:valide|confirme|atualize)\s+(?:\w+\s+){0,2}(?:conta|senha|dados)\b",
            r"(?:аккаунт|счет|карт)\w*.{0,60}(?:заблокир|приостанов)",
            r"(?:账户|帐户|账号|アカウント).{0,40}(?:异常|冻结|停用|停止|制限|確認)",
            r"(?:подтвердите|обновите)\s+(?:\w+\s+){0,2}(?:аккаунт|учетн|данные|пароль)",
            r"\bwithin\s+(?:24|48|72)\s*(?:hours|hrs|h)\b.{0,80}\b(?:suspend|clos|terminat|lock|deactivat|lose)",
        ),
    ),
    "coin": (
        1.5,
        _of(
            r"\b(?:bitcoin|btc|ethereum|crypto\w*)\b.{0,80}\b(?:invest|profit|wallet|return|trading|double)",
            r"\bforex\b", r"\b(?:daily|guaranteed|high)\s+(?:returns?|profits?)\b",
            r"\binvestment\s+(?:opportunit|advice|plan|offer)",
            r"\b(?:your|this)\s+(?:device|computer)\s+(?:\w+\s+){0,3}(?:hacked|infected|compromised)",
            r"\bhigh[- ]yield\b", r"\boffshore\b",
        ),
    ),
    "outreach": (
        2.4,
        _of(
            r"\bcame\s+across\s+your\s+(?:web\s?site|site|store|profile|company|business)\b",
            r"\b(?:boost|increase|improve|grow)\s+your\s+(?:\w+\s+){0,2}(?:rankings?|traffic|sales|visibility|leads|revenue)\b",
            r"\bfirst\s+page\s+of\s+google\b", r"\bback-?links?\b", r"\blink\s+(?:exchange|insertion)s?\b",
            r"\b(?:web\s?(?:site)?\s*(?:design|development)|app\s+development|lead\s+generation|digital\s+marketing)"
            r"\s+(?:company|agency|services?|firm|expert)\b",
            r"\b(?:if\s+)?(?:you(?:'re|\s+are)\s+)?not\s+interested\b.{0,60}\b(?:reply|let\s+me\s+know|unsubscribe|opt)",
            r"\bright\s+person\s+to\s+(?:speak|talk|contact)\b",
        ),
    ),
    "stranger": (
        0.9,
        _of(
            r"^\W*dear\s+(?:friend|sir|madam|customer|user|member|client|winner|beneficiary|valued|home\s?owner|business|internet|subscriber|e-?mail|[\w.+-]+@)",
            r"^\W*(?:hello|hi|greetings|attention)\W{0,3}(?:friend|sir|dear|home\s?owners?|winner)?\W*$",
            r"^\W*(?:sehr\s+geehrte[r]?\s+(?:kunde|nutzer|kontoinhaber))", r"^\W*cher\s+(?:client|ami|utilisateur)",
            r"^\W*estimado\s+(?:cliente|usuario|amigo)",
        ),
    ),
    "adult": (
        1.8,
        _of(
            r"\bxxx\b",
            r"\b(?:hot|horny|sexy|nude|naked|barely\s+legal)\s+(?:girls?|women|teens?|singles?|babes?|housewives)",
            r"\badult\s+(?:site|content|dating|entertain)", r"\bporn", r"\bwebcam\s+(?:girls?|show)",
            r"\bmeet\s+(?:\w+\s+)?singles\b", r"\bsex\s*kontakt", r"\bdating\s+(?:site|service)",
        ),
    ),
}  # fmt: skip
