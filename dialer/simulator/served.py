"""Everything that is served, joined: the parts of both dialects over one switchboard."""

from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from dialer.simulator.batches import Batches
from dialer.simulator.campaigns import Campaigns
from dialer.simulator.courier import Courier
from dialer.simulator.desk import Desk
from dialer.simulator.operations import Endpoint, Operation, Socket, routes
from dialer.simulator.sessions import Sessions
from dialer.simulator.storage import PATH, Storage
from dialer.simulator.switchboard import Switchboard
from dialer.simulator.vaani import Vaani
from dialer.simulator.vaani_accounts import VaaniAccounts
from dialer.simulator.vaani_agents import VaaniAgents
from dialer.simulator.vaani_batches import VaaniBatches
from dialer.simulator.vaani_desk import VaaniDesk
from dialer.simulator.vaani_files import VaaniFiles
from dialer.simulator.vaani_numbers import VaaniNumbers
from dialer.simulator.vaanivoice import Vaanivoice
from dialer.simulator.vaanivoice_agents import VaanivoiceAgents
from dialer.simulator.vaanivoice_campaigns import VaanivoiceCampaigns
from dialer.simulator.vaanivoice_captions import Captions
from dialer.simulator.vaanivoice_recordings import Recordings
from dialer.simulator.vaanivoice_sessions import VaanivoiceSessions


@dataclass(frozen=True, slots=True)
class Part:
    """One dialect: its name, its table, its sockets, and how its endpoints word an error."""

    name: str
    operations: list[Operation]
    sockets: list[Socket]
    worded: Callable[[Endpoint], Endpoint]
    more: tuple[BaseRoute, ...] = ()

    def routes(self) -> list[BaseRoute]:
        """A route for each row of the table."""
        return [*routes(self.operations, self.worded), *(socket.route() for socket in self.sockets), *self.more]


def served(board: Switchboard, courier: Courier) -> list[Part]:
    """Both dialects, in the order they are matched."""
    storage = Storage()
    recordings = Recordings(Desk(board))
    return [_vaanivoice(board, recordings, storage, courier), _vaani(board, recordings, storage)]


def _vaanivoice(board: Switchboard, recordings: Recordings, storage: Storage, courier: Courier) -> Part:
    desk = Desk(board)
    talks = VaanivoiceSessions(desk, Sessions(board))
    campaigns = VaanivoiceCampaigns(desk, Campaigns(board, courier), storage)
    parts = (Vaanivoice(desk, courier), recordings, VaanivoiceAgents(desk), talks, campaigns)
    operations = [operation for part in parts for operation in part.operations()]
    return Part("vaanivoice", operations, [*Captions(desk).sockets(), *talks.sockets()], desk.worded)


def _vaani(board: Switchboard, recordings: Recordings, storage: Storage) -> Part:
    desk = VaaniDesk(board)
    workspace = (VaaniAgents(desk), VaaniFiles(desk), VaaniNumbers(desk), VaaniBatches(desk, Batches(board)))
    parts = (Vaani(desk, storage, recordings), VaaniAccounts(desk), *workspace)
    operations = [operation for part in parts for operation in part.operations()]

    async def file(request: Request) -> Response:
        return storage.serve(request, board.clock.now())

    return Part("vaani", operations, [], desk.worded, (Route(f"{PATH}{{name:path}}", file),))
