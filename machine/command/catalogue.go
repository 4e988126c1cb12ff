package command

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/konveyor/dynamic-pipeline/internal/wording"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/dump"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/machine/verify"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// Catalogue is what a command is about: the itineraries of one kind of object,
// and how its objects are read. Only Command and Itineraries are required.
type Catalogue struct {
	// Command is what users type: "upgradectl", or "kubectl upgrade" for a plugin
	// of kubectl that is installed as kubectl-upgrade.
	Command string
	// Version is what --version prints; if empty, the version of the main module of
	// the program.
	Version string
	// Itineraries are all itineraries of the controller. The first one stands for
	// all in examples.
	Itineraries *machine.Set
	// Switches are drawn between the itineraries.
	Switches []dump.Switch

	// Kind is the kind of the objects whose runs these are, such as "Upgrade". An
	// object of that kind without a state is a run that has not begun. If it is
	// empty, only objects that hold the state of a run are read.
	Kind string
	// Noun is what one run is called in messages, such as "upgrade". If empty, it
	// is "run".
	Noun string
	// List is the kubectl command that lists the objects, for help and hints. If
	// empty, it is made of Kind.
	List string

	// Select returns the name of the itinerary that an object selects, as the
	// selector of the controller does: a run is on that, or on the recorded one, by
	// the rules of [machine.Set.Resume]. Item is the item of the object that the run
	// is of, if it has many. If Select is nil, a run is on the recorded itinerary, and
	// one that has not begun on the first.
	Select func(o *Object, item string) (string, error)
	// Sources returns how the flags of a run are found: if it has not begun, for
	// --today, and for flags that the state does not know. All are all objects that
	// were read. If it is nil, only the flags in the state are known.
	Sources func(o *Object, item string, all *Objects) (*phases.Sources, error)

	// KindOf returns the kind under which an object of that apiVersion and kind is
	// known, and false if the object is of no interest. If nil, every object that
	// is of Kind or holds the state of a run is of interest. An apiVersion that is
	// empty is not known.
	KindOf func(apiVersion, kind string) (string, bool)
	// Read finds the runs of objects, for a catalogue whose objects hold more
	// than states of this project. If nil, it is [Tool.StateRuns].
	Read func(t *Tool, all *Objects) Reading
	// Options are options of the catalogue's own for the commands that read
	// objects. See [Objects.Has].
	Options []Option
	// Texts take the place of help texts, as far as they are not empty, by the name of the command; "" is the
	// command itself.
	Texts map[string]Text
	// Name is what the release that is built in is called: NAME@current for compat. If
	// empty, it is the last word of Command.
	Name string
	// Selected are all names that the selector of the controller can return, and
	// Runner is what verify knows of its handlers ([verify.RunnerOf]). What is not
	// given is not checked.
	Selected []string
	Runner   *verify.Runner
	// Suppress accepts findings of verify that the authors know and want to keep.
	Suppress []phases.Suppression
	// StepNow returns the present name of a step of an earlier release. Optional.
	StepNow func(name string) string
	// Own returns commands of the catalogue's own, new ones at each call. Optional.
	Own func(t *Tool) []*cobra.Command
}

// Text is the help of a command.
type Text struct {
	Short, Long, Example string
}

// Option is an option without a value that a catalogue adds to the commands that
// read objects.
type Option struct {
	// Name is its name without dashes, and Usage what it does.
	Name, Usage string
	// Instead is what to give if there are no objects, for the error of that:
	// "with -i give --flags". Optional.
	Instead string
}

// catalogueError is a catalogue of which no command can be made.
type catalogueError struct {
	// Problems are all that is missing or wrong, in the order of the fields.
	Problems []string
}

func (e *catalogueError) Error() string { return "catalogue: " + strings.Join(e.Problems, "; ") }

var (
	// commandWords are how a command is typed: with arguments of a shell that need no
	// quotes.
	commandWords = regexp.MustCompile(`^[A-Za-z0-9_.][A-Za-z0-9_.-]*( [A-Za-z0-9_.][A-Za-z0-9_.-]*)*$`)
	kindName     = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9]*$`)
	releaseName  = regexp.MustCompile(`^[A-Za-z0-9_.-]+$`)
	optionName   = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
)

// check returns what is missing or wrong, as far as the fields alone show it:
// [app.root] finds what collides with the command's own.
func (c *Catalogue) check() []string {
	var problems []string
	add := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	oneLine := func(field, text string) {
		if strings.TrimSpace(text) != text || strings.ContainsFunc(text, unprintable) {
			add("%s %q must be one line without spaces around it", field, text)
		}
	}
	switch {
	case c.Command == "":
		add(`Command is missing; give what users type, such as "upgradectl" or "kubectl upgrade"`)
	case !commandWords.MatchString(c.Command):
		add("Command %q is not what users can type; give words of letters, digits, _, . and -, with one space between them", c.Command)
	}
	oneLine("Version", c.Version)
	names := c.Itineraries.Names()
	if len(names) == 0 {
		add("Itineraries are missing; make them with machine.CompileSet")
	}
	for i, s := range c.Switches {
		for _, end := range []struct{ field, name string }{{"From", s.From}, {"To", s.To}} {
			if !slices.Contains(names, end.name) {
				add("Switches[%d].%s: there is no itinerary %q%s", i, end.field, end.name, wording.DidYouMean(wording.Nearest(end.name, names)))
			}
		}
	}
	for i, s := range c.Suppress {
		if err := s.Validate(); err != nil {
			add("Suppress[%d]: %v", i, err)
		}
	}
	if c.Name != "" && !releaseName.MatchString(c.Name) {
		add("Name %q is not the name of a release; give letters and digits, such as mtc", c.Name)
	}
	switch {
	case c.Kind == "":
	case !kindName.MatchString(c.Kind):
		add("Kind %q is not the kind of an object; give letters and digits, such as Upgrade", c.Kind)
	case strings.HasSuffix(c.Kind, "List"):
		add("Kind %s is the kind of a list; give that of its items", c.Kind)
	}
	oneLine("Noun", c.Noun)
	oneLine("List", c.List)
	for i, o := range c.Options {
		switch {
		case !optionName.MatchString(o.Name):
			add("Options[%d].Name %q is not the name of an option; give lower-case letters, digits and single -, without dashes before it", i, o.Name)
		case slices.ContainsFunc(c.Options[:i], func(other Option) bool { return other.Name == o.Name }):
			add("Options[%d].Name %q stands twice; rename one", i, o.Name)
		}
		if o.Usage == "" {
			add("Options[%d].Usage is missing; describe what --%s does", i, o.Name)
		}
		oneLine(fmt.Sprintf("Options[%d].Usage", i), o.Usage)
		oneLine(fmt.Sprintf("Options[%d].Instead", i), o.Instead)
	}
	return problems
}

// noun is what one run is called.
func (c *Catalogue) noun() string {
	if c.Noun == "" {
		return "run"
	}
	return c.Noun
}

// kind is what the objects are called.
func (c *Catalogue) kind() string {
	if c.Kind == "" {
		return "object that holds a state"
	}
	return c.Kind
}

// list is the kubectl command that lists the objects.
func (c *Catalogue) list() string {
	switch {
	case c.List != "":
		return c.List
	case c.Kind != "":
		return "kubectl get " + strings.ToLower(c.Kind) + " --all-namespaces -o yaml"
	}
	return "kubectl get KIND --all-namespaces -o yaml"
}

// Run is a run of an object, as it was read.
type Run struct {
	Object *Object
	// Item is the item of the object that the run is of, if the object has many.
	Item string
	// Itinerary is the itinerary that the object selects. SelectErr is why that
	// is not known.
	Itinerary string
	SelectErr error
	// Recorded returns what the object records of the run.
	Recorded func() Recorded
	// Sources returns how its flags are found now, or nil if only the state knows.
	Sources func() (*phases.Sources, error)
	// Missing is an object without which flags are unknown; it explains all of
	// them. It is nil if no object is missing.
	Missing error
	// kind is that of the object, if an object of another kind has the same name.
	kind string
}

// object names the object of the run: with its kind, as KIND/NAME, if that tells it
// apart.
func (r *Run) object() Ref {
	ref := r.Object.Ref
	if r.kind != "" {
		ref.Name = r.kind + "/" + ref.Name
	}
	return ref
}

// Recorded is what an object records of a run.
type Recorded struct {
	// State is what a runner would read. StateErr is why it cannot.
	State    runner.State
	StateErr error
	// Was is the phase as the object records it, if Phase is its present name.
	Was string
	// Itinerary and Phase are as they are recorded: the phase may have another name
	// by now. Started are the steps that have started, in their order, and Done
	// reports whether the run is done.
	Itinerary, Phase string
	Started          []string
	Done             bool
	// Reasons are why the run failed, if the state does not have them, since a
	// controller without this project wrote it.
	Reasons []string
	// Err is what is wrong with the record, although some of it is understood.
	Err error
	// Own reports whether the state is one that this project wrote: its facts
	// count.
	Own bool
}

// Reading is what a catalogue finds in objects.
type Reading struct {
	// Runs are in the order in which they were read.
	Runs []*Run
	// Settled is called before the flags of a run are found, with those that --set
	// decides. Optional.
	Settled func(flags phases.Flags)
	// Notes returns what is to be noted once all flags were found. Optional.
	Notes func() []string
	// None is the error of streams without a run.
	None error
}

// ref is how messages call the run.
func (r *Run) ref() string {
	if r.Item == "" {
		return r.object().String()
	}
	return r.object().String() + "[" + r.Item + "]"
}

// name is the name of the object, and of the item if there is one.
func (r *Run) name() string {
	if r.Item == "" {
		return r.object().Name
	}
	return r.object().Name + "[" + r.Item + "]"
}

// runName names a run as JSON. With -i alone there is none, and all is absent.
type runName struct {
	Name      *string `json:"name,omitempty"`
	Namespace *string `json:"namespace,omitempty"`
	Item      string  `json:"item,omitempty"`
}

// names are the names of the run, which may be nil.
func (r *Run) names() (n runName) {
	if r != nil {
		ref := r.object()
		n = runName{&ref.Name, &ref.Namespace, r.Item}
	}
	return n
}

// wrong is a problem of the run.
func (r *Run) wrong(err error) error {
	if r.Item != "" {
		err = fmt.Errorf("item %s: %w", r.Item, err)
	}
	return r.Object.Wrong(err)
}
