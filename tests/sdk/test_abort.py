"""A client that goes away in the middle of a stream takes the upstream request with it."""

from processes import PATIENCE_S


def test_abort_reaches_the_upstream(client, provider, gateway):
    pieces, close = client.open_stream(f"endless-{provider}/endless", client.user("Hello"))
    # Google's SDK asks only when the first piece is wanted.
    next(pieces)
    next(pieces)
    assert gateway.endless.started.acquire(timeout=PATIENCE_S)
    assert not gateway.endless.abandoned.acquire(blocking=False), "the upstream is still read"
    close()
    client.sdk.close()
    assert gateway.endless.abandoned.acquire(timeout=PATIENCE_S), "the upstream was never told"
