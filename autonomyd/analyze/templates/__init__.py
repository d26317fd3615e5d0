"""Log lines grouped by what does not vary in them: the miner gives each line its template's number, the watch tells
which templates are new, surging or vanished. Pure, one pass, bounded memory whatever the lines are."""

from autonomyd.analyze.templates.miner import TemplateMiner
from autonomyd.analyze.templates.watch import NewsKind, TemplateNews, TemplateWatch

__all__ = ["NewsKind", "TemplateMiner", "TemplateNews", "TemplateWatch"]
