"""The folder of routes is their register; what has a place among them stands at it."""

from api.routes.every import ORDER, modules, routes


def test_whatever_has_a_place_is_there():
    names = [module.__name__.rpartition(".")[2] for module in modules()]

    assert tuple(names[: len(ORDER)]) == ORDER


def test_a_word_is_tried_before_an_id():
    paths = [route.path for router in routes() for route in router.routes]

    assert paths.index("/v1/people/relations") < paths.index("/v1/people/{person_id}")
