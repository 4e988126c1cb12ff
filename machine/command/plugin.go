package command

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// executable is the name of the program that a command as users type it is
// installed as: "kubectl my-tool" as kubectl-my_tool.
func executable(command string) string {
	words := strings.Split(command, " ")
	if isPlugin(command) {
		for i := range words {
			words[i] = strings.ReplaceAll(words[i], "-", "_")
		}
	}
	return strings.Join(words, "-")
}

// isPlugin reports whether a command is a plugin of kubectl.
func isPlugin(command string) bool { return strings.HasPrefix(command, "kubectl ") }

// pluginCompletion is the completion command of a plugin of kubectl. The shell
// asks kubectl, and that an executable which belongs to the plugin.
func (a *app) pluginCompletion() *cobra.Command {
	script := "kubectl_complete-" + strings.TrimPrefix(executable(a.name), "kubectl-")
	return &cobra.Command{
		Use:                   "completion",
		DisableFlagsInUseLine: true,
		Short:                 "Prints the script by which the shell completes " + a.name,
		Long: fmt.Sprintf(`Prints the script by which kubectl completes %s.

It must be an executable file of the name %s, in a directory
of the PATH. kubectl 1.26 or later calls it if the shell completes kubectl itself:
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
