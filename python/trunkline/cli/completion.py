"""``trunkline completion``: what a shell needs to complete commands, options and files."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import Any

BASH = """\
_trunkline() {{
    local word=${{COMP_WORDS[COMP_CWORD]}} verb=${{COMP_WORDS[1]}} words
    if [ "$COMP_CWORD" -eq 1 ]; then words="{verbs}"; else
        case "$verb" in
{cases}
        esac
    fi
    COMPREPLY=($(compgen -W "$words" -- "$word"))
    [ ${{#COMPREPLY[@]}} -eq 0 ] && COMPREPLY=($(compgen -f -- "$word"))
}}
complete -F _trunkline trunkline
"""
ZSH = "autoload -U +X bashcompinit && bashcompinit\n"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the verb."""
    parser.description = 'Print completions: eval "$(trunkline completion bash)"'
    parser.add_argument("shell", choices=("bash", "zsh", "fish"))
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Prints the completions of a shell."""
    found = words()
    if options.shell == "fish":
        from trunkline.cli.parser import VERBS

        for verb, flags in found.items():
            help = VERBS[verb][1].replace("'", "\\'")
            print(f"complete -c trunkline -n __fish_use_subcommand -a {verb} -d '{help}'")
            for flag in flags:
                only = f"-n '__fish_seen_subcommand_from {verb}'"
                print(f"complete -c trunkline {only} -l {flag.removeprefix('--')}")
        return 0
    cases = "\n".join(
        f'            {verb}) words="{" ".join(one)}";;' for verb, one in found.items()
    )
    script = BASH.format(verbs=" ".join(found), cases=cases)
    print((ZSH if options.shell == "zsh" else "") + script, end="")
    return 0


def words() -> dict[str, list[str]]:
    """The verbs, and the long options of each."""
    from trunkline.cli.parser import VERBS, parser_of

    parser = parser_of(list(VERBS))
    commands = next(one for one in parser._actions if one.dest == "command")
    choices: dict[str, Any] = dict(commands.choices or {})
    return {
        verb: [flag for one in sub._actions for flag in one.option_strings if flag[:2] == "--"]
        for verb, sub in choices.items()
    }
