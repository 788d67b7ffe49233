import type { Command } from "commander";

/** What can follow a command, by its path: `""` is the program, `" session list"` a command. */
export interface CompletionTree {
  readonly words: ReadonlyMap<string, readonly string[]>;
  /** Accepted values, by path and option: `" session list --status"`; those of a first argument under the path and a blank. */
  readonly values: ReadonlyMap<string, readonly string[]>;
}

/** Reads what can be typed off the command tree, so that no script says what the program does not know. */
export function readTree(program: Command): CompletionTree {
  const words = new Map<string, string[]>();
  const values = new Map<string, readonly string[]>();
  const global = program.options.flatMap(({ long }) => long ?? []).filter((name) => name !== "--version");
  const visit = (command: Command, path: string): void => {
    const options = command.options.flatMap(({ long }) => long ?? []);
    const names = command.commands.map((each) => each.name());
    const choices = command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []);
    words.set(path, [...names, ...choices, ...new Set([...options, ...global, "--help"])]);
    for (const { long, argChoices } of command.options)
      if (long !== undefined && argChoices) values.set(`${path} ${long}`, argChoices);
    for (const each of command.commands) visit(each, `${path} ${each.name()}`);
  };
  visit(program, "");
  return { words, values };
}

/** For bash 4 and newer. */
export function bashScript(tree: CompletionTree): string {
  return `# soma: source <(soma completion bash)
_soma() {
  local path="" word words="" current="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}"
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$path $word" in ${patterns(tree)}) path="$path $word" ;; esac
  done
  case "$path" in
${cases(tree.words)}
  esac
  case "$path $before" in
${cases(tree.values)}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _soma soma
`;
}

/** For zsh with its completion system on (compinit). */
export function zshScript(tree: CompletionTree): string {
  return `#compdef soma
# soma: source <(soma completion zsh)
_soma() {
  local line="" word words_=""
  for word in \${words[2,CURRENT-1]}; do
    case "$line $word" in ${patterns(tree)}) line="$line $word" ;; esac
  done
  case "$line" in
${cases(tree.words, "words_")}
  esac
  case "$line \${words[CURRENT-1]}" in
${cases(tree.values, "words_")}
  esac
  compadd -- \${=words_}
  [[ $PREFIX == -* ]] || _files
}
compdef _soma soma
`;
}

/** For fish. */
export function fishScript(tree: CompletionTree): string {
  const offers = [...tree.words].map(
    ([path, offered]) => `    case ${quote(path)}\n      set offered ${offered.join(" ")}`,
  );
  const values = [...tree.values].map(
    ([path, offered]) => `    case ${quote(path)}\n      set offered ${offered.join(" ")}`,
  );
  return `# soma: soma completion fish | source
function __soma_offer
  set -l line ""
  set -l offered
  set -l typed (commandline -opc)
  for word in $typed[2..-1]
    switch "$line $word"
      case ${[...tree.words.keys()]
        .filter((path) => path !== "")
        .map(quote)
        .join(" ")}
        set line "$line $word"
    end
  end
  switch "$line"
${offers.join("\n")}
  end
  switch "$line $typed[-1]"
${values.join("\n")}
  end
  printf '%s\\n' $offered
end
complete -c soma -a '(__soma_offer)'
`;
}

function patterns({ words }: CompletionTree): string {
  return [...words.keys()]
    .filter((path) => path !== "")
    .map((path) => `"${path}"`)
    .join("|");
}

function cases(offers: ReadonlyMap<string, readonly string[]>, variable = "words"): string {
  return [...offers].map(([path, offered]) => `    "${path}") ${variable}="${offered.join(" ")}" ;;`).join("\n");
}

function quote(text: string): string {
  return `'${text}'`;
}
