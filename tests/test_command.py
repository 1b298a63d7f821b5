"""What the commands of training have in common."""

from dataclasses import fields, replace

import pytest
import typer
from typer.testing import CliRunner, Result

from training.command import configured, reporting
from training.config import TrainConfig


def invoke(*arguments: str) -> tuple[Result, list[tuple[TrainConfig, str]]]:
    """Call a command that has a configuration and an option of its own."""
    app, calls = typer.Typer(), list[tuple[TrainConfig, str]]()

    @app.command()
    @configured
    def main(config: TrainConfig, name: str = "yin") -> None:
        calls.append((config, name))

    return CliRunner().invoke(app, arguments, env={"COLUMNS": "200"}), calls


def test_without_options_a_command_has_the_configuration_of_defaults() -> None:
    assert invoke()[1] == [(TrainConfig(), "yin")]


def test_each_field_of_the_configuration_is_an_option() -> None:
    changed: dict[str, object] = {}
    arguments = list[str]()
    for each in fields(TrainConfig):
        option = each.name.replace("_", "-")
        if isinstance(each.default, bool):
            changed[each.name] = not each.default
            arguments.append(f"--no-{option}" if each.default else f"--{option}")
        else:
            value = 0.5 if isinstance(each.default, float) else 1
            changed[each.name] = value
            arguments += [f"--{option}", str(value)]
    expected = TrainConfig(**changed)  # type: ignore[arg-type]
    assert invoke(*arguments, "--name", "x")[1] == [(expected, "x")]


def test_help_describes_each_field_and_shows_its_default() -> None:
    result, _ = invoke("--help")
    lines = result.output.splitlines()
    for each in fields(TrainConfig):
        option = f"--{each.name.replace('_', '-')}"
        (number,) = (n for n, line in enumerate(lines) if option in line.split())
        entry = " ".join(lines[number : number + 4])
        default = each.default
        if isinstance(default, bool):
            default = option.strip("-") if default else option.replace("--", "no-", 1)
        assert f"[default: {default}]" in entry


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--steps", "many"], "--steps"),
        (["--steps", "0"], "steps must be at least 1, got 0"),
        (["--stepz", "1"], "No such option"),
    ],
)
def test_a_wrong_option_is_refused_before_anything_is_done(
    arguments: list[str], message: str
) -> None:
    result, calls = invoke(*arguments)
    assert result.exit_code == 2
    assert message in result.output
    assert calls == []


def test_an_error_that_is_expected_is_reported_in_one_line_and_exits_with_1() -> None:
    app = typer.Typer()

    @app.command()
    def main(number: int) -> None:
        with reporting(ValueError):
            raise (ValueError("no such poem"), KeyError("a fault"))[number]

    expected, fault = (CliRunner().invoke(app, [number]) for number in "01")
    assert (expected.exit_code, expected.output) == (1, "error: no such poem\n")
    assert isinstance(fault.exception, KeyError)


def test_a_configuration_is_changed_field_by_field() -> None:
    assert invoke("--dropout", "0.5")[1] == [(replace(TrainConfig(), dropout=0.5), "yin")]
