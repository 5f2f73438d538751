"""Families that are known, and whose layers are not counted yet, are refused by name with the reason."""

import pytest

from gptcount import load
from gptcount.errors import InputError


@pytest.mark.parametrize("model_type", ["inkling2_text", "inkling2_loop_text"])
def test_layers_that_read_groups_of_layers_are_refused(model_type):
    with pytest.raises(InputError, match=f"{model_type}.*groups of layers before"):
        load({"model_type": model_type, "hidden_size": 8})


def test_rotary_positions_of_zaya_want_a_table_for_each_kind_of_layer():
    config = {"model_type": "zaya", "hidden_size": 64, "num_hidden_layers": 2}
    with pytest.raises(InputError, match=r"rope_parameters.*a table for hybrid"):
        load(config | {"rope_parameters": {"rope_type": "default", "rope_theta": 1e4}})


def test_matrices_of_xlstm_that_are_stapled_are_refused():
    with pytest.raises(InputError, match="weight_mode"):
        load({"model_type": "xlstm", "hidden_size": 64, "weight_mode": "fused"})
