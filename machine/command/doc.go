// Package command is a command line over a catalogue: the itineraries of one kind
// of object, and how its objects are read. It answers what a run will do before it
// does it, why not the rest, what it does now and what is stuck; it draws runs, shows
// them on a page, and runs them with simulated work.
//
// It is for the users of a controller that embeds this project, and for those who
// support it. It works on what kubectl prints, must-gather archives included, and
// talks to no cluster: it is no client of the API server, changes nothing, and
// needs no rights. Real runs are the business of package machine/runner.
//
// # A command of one's own
//
// [Main] runs the command of a [Catalogue]. This is all of a plugin of kubectl, which
// is installed as kubectl-upgrade:
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
// Its help, examples and completion are about that catalogue. One with its
// itineraries in a file is in example/kubectl-upgrade.
//
// kubectl completes a plugin by an executable beside it, kubectl_complete-upgrade.
// The plugin prints that script:
//
//	kubectl upgrade completion > kubectl_complete-upgrade
//	chmod +x kubectl_complete-upgrade
//
// A command that is no plugin has a completion command for each shell.
//
// # What is read
//
// The state of a run ([runner.State]) is found wherever runners keep it: in the
// annotation [StateAnnotation] or another, in the status, in a field of the status, or
// in the items of a list in it, each of which is then a run, named OBJECT[ITEM].
// The option --state-at names another place. An object of the catalogue's kind
// without a state is a run that has not begun.
//
// The flags of a run are those that its state records. With [Catalogue.Sources],
// those that it does not record are found from the objects, as are those of a run
// that has not begun; what the objects answer otherwise today is noted, and --today
// goes by them alone. With [Catalogue.Select], the rules of the runner say whether
// the run goes on or switches. The other fields of a catalogue are for objects that
// hold more than states, and for options and commands of its own.
//
// With -i FILE.yaml, runs of any other catalogue are read.
//
// # What is printed
//
// Results go to standard output, as a table or as JSON or YAML, whose words are a
// contract. Each problem is one line on standard error that names the object or the
// place; the others are still processed. The exit code is 1 if there was a problem,
// and 2 if the command line or the catalogue makes no sense.
package command
