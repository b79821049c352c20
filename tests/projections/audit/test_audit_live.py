"""The evidence of a ledger that is served."""

import pytest

from projections.audit.live import Live, NotSignedYet
from projections.log.keys import KeyFile
from projections.log.tables import open_log
from projections.views.opening import open_views
from tests.charity import charity
from tests.logs import beside, opened


@pytest.mark.parametrize("begun", [False, True], ids=["no log was begun", "a log was begun"])
def test_what_was_never_signed_is_not_audited(tmp_path, begun):
    place = tmp_path / "ledger.db"
    with charity(place) as house:
        house.open_fund()
        if begun:
            with opened(place, beside(place), KeyFile(tmp_path / "log.key")):
                pass
        log, views = open_log(beside(place)), open_views(tmp_path / "views.db")
        try:
            live = Live(house.ledger.store, log, views)

            with pytest.raises(NotSignedYet, match="no checkpoint was published yet"):
                live.checkpoint()
        finally:
            log.dispose()
            views.dispose()
