import { Argument, type Command } from "commander";
import { bashScript, fishScript, readTree, zshScript } from "../completion-scripts.ts";
import { openTerminal } from "../output/terminal.ts";

const shells = ["bash", "zsh", "fish"] as const;
type Shell = (typeof shells)[number];

/** `soma completion` */
export function addCompletion(program: Command): void {
  program
    .command("completion")
    .description("a script that completes commands and options: source <(soma completion bash)")
    .addArgument(new Argument("<shell>", "for which shell").choices(shells))
    .action((shell: Shell, _flags: object, command: Command) => {
      const scripts = { bash: bashScript, zsh: zshScript, fish: fishScript };
      const script = scripts[shell](readTree(command.parent ?? command));
      const isJson = command.optsWithGlobals<{ json?: boolean }>().json === true;
      openTerminal().out(isJson ? `${JSON.stringify({ shell, script })}\n` : script);
    });
}
