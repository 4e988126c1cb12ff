// Package command is a command line for a catalogue: the itineraries of one kind of
// object, and how its objects are read. It shows what a run will do before it does it and
// why it leaves the rest out, what it does now and whether it is stuck. It draws runs,
// shows them on web pages, and simulates them.
//
// It is for the users of a controller that embeds this project and for those who support
// them. It reads the output of kubectl and must-gather archives. It does not connect to
// a cluster, changes nothing there and needs no rights. To execute runs, use package
// machine/runner.
//
// # Your own command
//
// [Main] runs the command of a [Catalogue]. This is a complete plugin of kubectl,
// installed as kubectl-upgrade:
//
//	func main() {
//		os.Exit(command.Main(command.Catalogue{
//			Command:     "kubectl upgrade",
//			Kind:        "Upgrade",
//			Noun:        "upgrade",
//			Itineraries: machine.MustCompileSet(upgrade.Itineraries()...),
//		}))
//	}
//
// Help, examples and completion use the names of that catalogue. For a command with its
// itineraries in a file, see example/kubectl-upgrade.
//
// kubectl completes a plugin by calling the executable kubectl_complete-upgrade beside
// it. The plugin prints that script:
//
//	kubectl upgrade completion > kubectl_complete-upgrade
//	chmod +x kubectl_complete-upgrade
//
// A command that is not a plugin has a completion command for each shell.
//
// # Input
//
// The state of a run ([runner.State]) is found where runners keep it: in the annotation
// [StateAnnotation] or another, in the status, in a field of the status, or in the items
// of a list there. Each item is then a run, named OBJECT[ITEM]. The option --state-at
// names another place. An object of the catalogue's kind without a state is a run that
// has not begun.
//
// The flags of a run are those that its state records. [Catalogue.Sources] provides the
// flags that the state does not record, and those of a run that has not begun. If the
// objects now differ from the state, a note reports it; --today uses the objects instead.
// With [Catalogue.Select], the command resumes or switches a run by the rules of the
// runner. The other fields of a catalogue are for objects that hold more than states, and
// for additional options and commands.
//
// With -i FILE.yaml, the command reads runs of any other catalogue.
//
// # Output
//
// Results go to standard output as a table, JSON or YAML; the names and values in JSON
// and YAML are stable. Each problem is one line on standard error that names the object or
// the position; other objects are still processed. The exit code is 1 if there was a
// problem, and 2 if the command line or the catalogue is invalid.
package command
