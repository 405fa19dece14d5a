"""What models there are, what they can do and what they cost."""

from tetrate_jupyter.catalog.cache import CatalogCache
from tetrate_jupyter.catalog.estimate import Estimate, cost, estimate_tokens
from tetrate_jupyter.catalog.models import ModelList
from tetrate_jupyter.catalog.service import Catalog

__all__ = ["Catalog", "CatalogCache", "Estimate", "ModelList", "cost", "estimate_tokens"]
