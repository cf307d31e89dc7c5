"""A campaign is made, or gets other settings, by who may have seen an older state of it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from dialer.domain.act import By
from dialer.domain.campaign import REHEARSAL, CampaignSpec
from dialer.errors import CampaignFileError, ChangedMeanwhile, UnknownName
from dialer.ports import Campaign, LedgerView
from dialer.ports.uploads import Drafts

Settings = Mapping[str, Any]
ANY = "*"
_OTHERWISE = 'the campaign "{}" is not as it was seen: read it again, then change it'


@dataclass(frozen=True)
class ChangeCampaign:
    """``read`` makes a campaign of settings in the shape of its file; ``written`` makes settings of a campaign."""

    view: LedgerView
    drafts: Drafts
    read: Callable[[Settings], CampaignSpec]
    written: Callable[[CampaignSpec], tuple[dict[str, Any], tuple[str, ...]]]

    async def put(
        self, name: str, settings: Settings, by: By, *, seen: str = "", is_new: bool = False
    ) -> tuple[Campaign, str]:
        """Make the campaign, which then waits for its start, or give it these settings; and its new mark.

        ``seen``: only if its mark is still this one (``"*"``: if it is there); ``is_new``: only if there is none.
        Raises ChangedMeanwhile, CampaignFileError that names the key, UsageError for another provider.
        """
        spec = self._spec(name, settings)
        before = await self._spec_now(spec.handle) if seen else None
        if seen and (before is None or seen not in (ANY, self.mark(before))):
            raise ChangedMeanwhile(_OTHERWISE.format(name))
        campaign = await self.drafts.put(spec, before, by, is_new=is_new)
        if campaign is None:
            raise ChangedMeanwhile(_OTHERWISE.format(name))
        return campaign, self.mark(campaign.spec)

    async def settings(self, name: str) -> tuple[dict[str, Any], tuple[str, ...], str]:
        """A campaign in the shape of its file, what no key of it can say, and its mark. Raises UnknownName."""
        spec = (await self.view.campaign(name)).spec
        return *self.written(spec), self.mark(spec)

    def flaw(self, settings: Settings) -> str:
        """Why no campaign can be made of these settings; "" when one can."""
        try:
            self.read(settings)
        except CampaignFileError as wrong:
            return str(wrong)
        return ""

    async def existing(self, settings: Settings) -> Campaign | None:
        """The campaign that would get these settings; None where it would be a new one."""
        handle = self.read({"name": "list", "agent": "check", **settings}).handle
        try:
            campaign = await self.view.campaign(handle)
        except UnknownName:
            return None
        return campaign if campaign.spec.handle == handle else None

    def mark(self, spec: CampaignSpec) -> str:
        """What tells settings from others."""
        said = json.dumps(self.written(spec), sort_keys=True, ensure_ascii=True)
        return sha256(said.encode()).hexdigest()[:32]

    def _spec(self, name: str, settings: Settings) -> CampaignSpec:
        own = name.removeprefix(REHEARSAL)
        spec = self.read({"name": own, **settings})
        if name not in (spec.name, spec.handle):
            raise CampaignFileError(
                f'name = "{spec.name}", provider = "{spec.provider}": this is not the campaign "{name}"'
            )
        return spec

    async def _spec_now(self, handle: str) -> CampaignSpec | None:
        try:
            spec = (await self.view.campaign(handle)).spec
        except UnknownName:
            return None
        return spec if spec.handle == handle else None
