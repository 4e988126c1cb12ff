package command

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/konveyor/dynamic-pipeline/internal/wording"
)

// The exit codes.
const (
	exitOK = 0
	// exitContent: there was a problem with what was read. All results that could be
	// computed have been printed.
	exitContent = 1
	// exitUsage: the command line is invalid.
	exitUsage = 2
	// exitInterrupted: the user interrupted a run; shells report Ctrl-C the same way.
	exitInterrupted = 130
)

// Main runs the command of catalogue c with the arguments and standard streams of the
// process, which then ignores SIGPIPE. It returns the exit code, for os.Exit.
func Main(c Catalogue) int {
	// With SIGPIPE ignored, a write after the reader has exited (such as head) returns an
	// error, and the command ends quietly instead of by a signal.
	signal.Ignore(syscall.SIGPIPE)
	return Execute(context.Background(), c, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
}

// Execute runs the command of catalogue c and returns its exit code. Args are the arguments
// after the command's name. Results go to stdout; errors, warnings and notes go to stderr,
// one line each. If c is invalid, Execute prints all problems with it and returns 2.
// Execute can be called repeatedly and concurrently. The end of ctx stops simulations and
// the web server.
func Execute(ctx context.Context, c Catalogue, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	a := &app{
		catalogue: c, name: c.Command,
		stdin: stdin, stdout: stdout, stderr: stderr, colors: colorsFor(stdout), live: isTerminal(stdout), width: terminalWidth(stdout), sleep: sleepFor,
	}
	return a.execute(ctx, args)
}

func (a *app) execute(ctx context.Context, args []string) int {
	root, err := a.root()
	if err != nil {
		_, _ = fmt.Fprintln(a.stderr, oneLine(err.Error()))
		return exitUsage
	}
	root.SetArgs(append([]string{}, args...)) // cobra reads nil as os.Args

	err = cmp.Or(root.ExecuteContext(ctx), a.unknownCommand)
	var write *writeError
	switch {
	case errors.As(err, &write):
		// The reader closed the pipe, which is not an error.
		if !errors.Is(err, syscall.EPIPE) && !errors.Is(err, io.ErrClosedPipe) {
			a.problem(err)
		}
	case errors.Is(err, errInterrupted):
		return exitInterrupted
	case errors.Is(err, errReported):
	case err != nil:
		a.line("%v", err)
		return exitUsage
	}
	if a.failed {
		return exitContent
	}
	return exitOK
}

// errReported ends a command whose problems have been printed.
var errReported = errors.New("reported")

// writeError is a failed write to standard output.
type writeError struct{ err error }

func (e *writeError) Error() string { return "cannot write the output: " + e.err.Error() }
func (e *writeError) Unwrap() error { return e.err }

// app is one execution of the command.
type app struct {
	catalogue Catalogue
	name      string
	// builtin are the itineraries of the catalogue.
	builtin *family
	// in holds the itineraries of the objects if they are not the catalogue's.
	in *family
	// ofKind reports whether all runs that were read belong to objects of the catalogue's
	// kind.
	ofKind bool
	// leftOut names the objects of the catalogue's kind that hold no state, if the
	// itineraries are not the catalogue's.
	leftOut        []string
	options        map[string]*bool  // options that the catalogue adds
	readers        []*cobra.Command  // commands that have these options
	stateAt        statePath         // the value of --state-at
	held           map[string][]byte // texts of streams that are read twice
	stdin          io.Reader
	stdout, stderr io.Writer
	colors         colors
	live           bool  // standard output is a terminal
	width          int   // columns at which tables are wrapped
	failed         bool  // there was a problem
	unknownCommand error // an unknown command whose help was requested
	// problems counts the problems of each stream.
	problems map[string]int
	sleep    func(context.Context, time.Duration)
}

// root returns the root command of the catalogue. The error is a [*catalogueError].
func (a *app) root() (*cobra.Command, error) {
	problems := a.catalogue.check()
	if problems != nil {
		return nil, &catalogueError{problems}
	}
	a.builtin = familyOfSet(a.catalogue.Itineraries)
	root := &cobra.Command{
		Use:           executable(a.name) + " COMMAND",
		Annotations:   map[string]string{cobra.CommandDisplayNameAnnotation: a.name},
		Version:       a.version(),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noCommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.SetVersionTemplate(a.name + " {{.Version}}\n")
	root.SetFlagErrorFunc(flagError)
	// As cobra adds them, but with the name that users type.
	root.Flags().BoolP("help", "h", false, "help for "+a.name)
	root.Flags().BoolP("version", "v", false, "version of "+a.name)
	help := root.HelpFunc()
	root.SetHelpFunc(func(cmd *cobra.Command, args []string) {
		// cobra calls this before it checks the arguments.
		if err := noCommand(cmd, cmd.Flags().Args()); cmd == root && err != nil {
			a.unknownCommand = err
			return
		}
		help(cmd, args)
	})
	root.AddCommand(a.plan(), a.explain(), a.status(), a.graph(), a.run(), a.verify(), a.compat(), a.serve())
	if problems := slices.Concat(a.addOwn(root), a.addOptions(), a.describe(root)); problems != nil {
		return nil, &catalogueError{problems}
	}

	// In this project a flag is a property of a run, so command-line flags are called
	// options.
	root.SetUsageTemplate(strings.NewReplacer(
		"{{.UseLine}}", "{{if .HasParent}}{{.UseLine}}{{else}}{{.CommandPath}} COMMAND [options]{{end}}",
		"Flags:", "Options:",
		"Use \"{{.CommandPath}} [command]", "Use \"{{.CommandPath}} COMMAND",
		"{{if .HasAvailableSubCommands}}\n  {{.CommandPath}} [command]{{end}}", "",
	).Replace(root.UsageTemplate()))
	for _, cmd := range append(root.Commands(), root) {
		cmd.DisableFlagsInUseLine = true
		cmd.Use += " [options]"
	}

	// cobra's own help command accepts any argument silently.
	root.SetHelpCommand(&cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Shows the help of a command",
		RunE: func(_ *cobra.Command, args []string) error {
			cmd, rest, err := root.Find(args)
			if err == nil {
				err = noCommand(cmd, rest)
			}
			if err != nil {
				return err
			}
			return cmd.Help()
		},
	})
	if isPlugin(a.name) {
		root.AddCommand(a.pluginCompletion())
		return root, nil
	}
	root.InitDefaultCompletionCmd()
	if completion, _, err := root.Find([]string{"completion"}); err == nil {
		completion.Use, completion.DisableFlagsInUseLine = "completion SHELL", true
		completion.Args, completion.RunE = noCommand, func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	}
	return root, nil
}

// noArguments returns an error if a command that takes no arguments is given one.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return fmt.Errorf("%s takes no argument %q; files are given with -f", cmd.Name(), args[0])
}

// noCommand returns an error if there is an argument, which no command matched.
func noCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var known []string
	for _, c := range cmd.Commands() {
		known = append(known, c.Name())
	}
	hint := wording.DidYouMean(wording.Nearest(args[0], known))
	if hint == "" {
		hint = "; see " + cmd.CommandPath() + " --help"
	}
	return fmt.Errorf("unknown command %q%s", args[0], hint)
}

var optionNames = regexp.MustCompile(`--[a-z-]+`)

// flagError adds a hint to the error of an option: the closest known option, or how to get
// help.
func flagError(cmd *cobra.Command, err error) error {
	hint := ""
	option, unknown := strings.CutPrefix(err.Error(), "unknown flag: ")
	if unknown {
		err = errors.New("unknown option " + option)
		hint = wording.DidYouMean(wording.Nearest(option, optionNames.FindAllString(cmd.Flags().FlagUsages(), -1)))
	}
	if hint == "" {
		hint = "; see " + cmd.CommandPath() + " --help"
	}
	return fmt.Errorf("%w%s", err, hint)
}

// problem prints a problem with what was read and makes the exit code 1. Joined errors are
// printed as one line each.
func (a *app) problem(err error) {
	a.failed = true
	for _, text := range problemTexts(err) {
		a.line("%s", text)
	}
}

// problemTexts returns the text of err. If [errors.Join] has joined several errors, it
// returns the text of each, with the text of the errors that wrap the join around it.
func problemTexts(err error) []string {
	whole := err.Error()
	for inner := err; inner != nil; inner = errors.Unwrap(inner) {
		joined, is := inner.(interface{ Unwrap() []error })
		if !is {
			continue
		}
		var texts []string
		for _, one := range joined.Unwrap() {
			texts = append(texts, one.Error())
		}
		all := strings.Join(texts, "\n")
		if inner.Error() != all || !strings.Contains(whole, all) {
			break // the error adds its own text
		}
		for i, text := range texts {
			texts[i] = strings.Replace(whole, all, text, 1)
		}
		return texts
	}
	return []string{whole}
}

// maxProblems is the number of problems of one stream that are printed; the others are
// counted.
const maxProblems = 20

// problemOf prints a problem of a stream, unless [maxProblems] of that stream have been
// printed.
func (a *app) problemOf(stream string, problem func() error) {
	a.failed = true
	if a.problems == nil {
		a.problems = make(map[string]int)
	}
	if a.problems[stream]++; a.problems[stream] <= maxProblems {
		a.problem(problem())
	}
}

// moreProblems prints how many problems of each stream were not printed. It is called once
// all streams are read.
func (a *app) moreProblems() {
	for _, stream := range slices.Sorted(maps.Keys(a.problems)) {
		if more := a.problems[stream] - maxProblems; more > 0 {
			a.line("%s: and %d more", stream, more)
		}
	}
}

// line prints a line on standard error.
func (a *app) line(format string, args ...any) {
	// A failed write to standard error cannot be reported.
	_, _ = fmt.Fprintln(a.stderr, a.name+": "+oneLine(fmt.Sprintf(format, args...)))
}

// oneLine returns text as one printable line, so text from a file cannot break a line in
// two or send control codes to a terminal.
func oneLine(text string) string {
	if !strings.ContainsFunc(text, unprintable) {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == '\n':
			b.WriteByte(' ')
		case unprintable(r):
			fmt.Fprintf(&b, "%U", r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

func unprintable(r rune) bool { return !unicode.IsPrint(r) }
