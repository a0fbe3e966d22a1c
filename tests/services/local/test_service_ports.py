import socket

from storycanvas.services.ports import LOOPBACK, choose_port, is_free


def test_the_first_free_wish_is_taken() -> None:
    with socket.create_server((LOOPBACK, 0)) as taken:
        free = choose_port(())

        assert choose_port((None, taken.getsockname()[1], free)) == free


def test_any_free_port_is_taken_when_no_wish_is_free() -> None:
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = choose_port((taken.getsockname()[1],))

        assert port != taken.getsockname()[1]
        assert is_free(port)


def test_a_port_is_taken_by_a_server_on_all_addresses() -> None:
    with socket.create_server(("0.0.0.0", 0)) as taken:  # noqa: S104 - what the claim is about
        assert not is_free(taken.getsockname()[1])
