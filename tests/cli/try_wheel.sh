# Tries the installed command `flowwarden` on the PATH, as a user does after the installation. Run by `make wheel`.
set -euo pipefail
sample=$(dirname "$0")/sample.log

flowwarden --version
flowwarden read "$sample" | grep --quiet '"srcaddr":"10.0.1.5"'
flowwarden read --explain "$(cat "$sample")" | grep --quiet '^Result: a flow\.$'
flowwarden completion zsh | grep --quiet '^#compdef flowwarden$'

# The line that the docs put into ~/.bashrc, and then the words `flowwarden rea` and the Tab key.
source <(flowwarden completion bash)
COMP_WORDS=(flowwarden rea) COMP_CWORD=1
_shtab_flowwarden
[ "${COMPREPLY[*]}" = read ]

# What needs an extra says which one to install.
if message=$(flowwarden plan 2>&1); then exit 1; fi
grep --quiet "pip install '.\[plan\]'" <<< "$message"
printf 'PAR1 and more' > one.parquet
if message=$(flowwarden read one.parquet 2>&1); then exit 1; fi
grep --quiet "pip install '.\[parquet\]'" <<< "$message"
if message=$(flowwarden replay "$sample" --report report.html 2>&1); then exit 1; fi
grep --quiet "pip install '.\[report\]'" <<< "$message"
python -c 'from importlib.resources import files; [files("flowwarden_cli.report").joinpath(f"page.{kind}").read_text() for kind in ("css", "js")]'
echo "read, --explain and completion work; plan, Parquet and reports name the extra that they need"
