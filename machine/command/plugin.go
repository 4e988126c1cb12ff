package command

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// executable returns the name of the program of a command: kubectl-my_tool for "kubectl
// my-tool".
func executable(command string) string {
	words := strings.Split(command, " ")
	if isPlugin(command) {
		for i := range words {
			words[i] = strings.ReplaceAll(words[i], "-", "_")
		}
	}
	return strings.Join(words, "-")
}

// isPlugin reports whether the command is a plugin of kubectl.
func isPlugin(command string) bool { return strings.HasPrefix(command, "kubectl ") }

// pluginCompletion returns the completion command of a plugin of kubectl. The shell asks
// kubectl, which calls an executable that belongs to the plugin.
func (a *app) pluginCompletion() *cobra.Command {
	script := "kubectl_complete-" + strings.TrimPrefix(executable(a.name), "kubectl-")
	return &cobra.Command{
		Use:                   "completion",
		DisableFlagsInUseLine: true,
		Short:                 "Prints the script that lets the shell complete " + a.name,
		Long: fmt.Sprintf(`Prints the script that lets kubectl complete %s.

Save it as an executable file named %s in a directory of the
PATH. kubectl 1.26 or later calls it if the shell completes kubectl itself:
see kubectl completion --help.`, a.name, script),
		Example: fmt.Sprintf(`  # Beside the plugin
  DIRECTORY=$(dirname "$(command -v %[2]s)")
  %[1]s completion > "$DIRECTORY/%[3]s"
  chmod +x "$DIRECTORY/%[3]s"`, a.name, executable(a.name), script),
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return fmt.Errorf("completion takes no argument %q; the script is for every shell that completes kubectl", args[0])
			}
			return nil
		},
		RunE: func(*cobra.Command, []string) error {
			out := output{w: a.stdout}
			fmt.Fprintf(&out.buf, "#!/bin/sh\n# kubectl calls this as %s to complete: %s\nexec %s %s \"$@\"\n",
				script, a.name, executable(a.name), cobra.ShellCompRequestCmd)
			return out.flush()
		},
	}
}
