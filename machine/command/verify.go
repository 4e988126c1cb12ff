package command

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/konveyor/dynamic-pipeline/internal/wording"
	"github.com/konveyor/dynamic-pipeline/machine/verify"
)

// verifyOptions are the options of verify.
type verifyOptions struct {
	reportOptions
	itineraries []string
	fix, dryRun bool
	freeze      string
}

func (a *app) verify() *cobra.Command {
	var o verifyOptions
	cmd := &cobra.Command{
		Use: "verify [-i ITINERARY...]",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return fmt.Errorf("verify takes no argument %q; itineraries are given with -i", args[0])
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.check(cmd); err != nil {
				return err
			}
			switch {
			case o.rules:
				return a.printRules(verify.Rules(), o.format)
			case o.freeze != "":
				return a.freeze(&o)
			}
			return a.printFindings(&o)
		},
	}
	f := cmd.Flags()
	f.StringArrayVarP(&o.itineraries, "itinerary", "i", nil, "what to check: `ITINERARY`, "+wording.List(a.builtin.names(), "or")+
		", FILE.yaml, or FILE.yaml#NAME; can be repeated (default: all built-in ones)")
	complete(cmd, "itinerary", a.completeItinerary)
	f.BoolVar(&o.fix, "fix", false,
		"with -i FILE.yaml, remove from the file what has no effect: flags that nothing reads, and redundant flags of guards")
	f.BoolVar(&o.dryRun, "dry-run", false, "with --fix, print what would change as a diff, and write nothing")
	f.StringVar(&o.freeze, "freeze", "",
		"only write the definitions to a `FILE`, or - for standard output, for comparison with the next release (compat)")
	o.register(cmd)
	return cmd
}

// check returns an error if options exclude each other.
func (o *verifyOptions) check(cmd *cobra.Command) error {
	changed := cmd.Flags().Changed
	if o.rules {
		return o.checkRules(cmd, nil, "itinerary", "fix", "dry-run", "freeze")
	}
	if changed("freeze") {
		for _, option := range []string{"fix", "dry-run", "fail-level", "output"} {
			if changed(option) {
				return fmt.Errorf("--freeze writes definitions and checks nothing; leave out --%s", option)
			}
		}
		if o.freeze == "" {
			return errors.New(`--freeze needs the name of a file, or "-"`)
		}
	}
	switch {
	case slices.Contains(o.itineraries, ""):
		return errors.New("-i needs the name of an itinerary or of a file")
	case o.dryRun && !o.fix:
		return errors.New("--dry-run needs --fix, whose effect it shows")
	case o.fix && len(o.itineraries) == 0:
		return errors.New("--fix changes a file; give -i FILE.yaml")
	case o.dryRun && (changed("output") || changed("fail-level")):
		return errors.New("--dry-run prints only a diff; leave out -o and --fail-level")
	}
	return o.reportOptions.check()
}

// checked holds itineraries that are defined together, and which of them to check.
type checked struct {
	family *family        // nil if the file cannot be read
	source *verify.Source // nil if they are built in
	only   []string       // nil for all
}

// toCheck finds the itineraries that -i names, each file once. Unread holds the errors of
// files that cannot be read; err is a usage error.
func (a *app) toCheck(args []string) (all []*checked, unread []error, err error) {
	if len(args) == 0 {
		return []*checked{{family: a.builtin}}, nil, nil
	}
	byFile := make(map[string]*checked) // "" holds the built-in itineraries
	for _, arg := range args {
		file, name := splitItinerary(arg)
		if _, err := a.builtin.graph(arg); err == nil {
			file, name = "", arg
		} else if file == "" {
			return nil, nil, a.unknownItinerary(arg)
		}
		key := sameFile(file)
		c, known := byFile[key]
		if !known {
			c = &checked{family: a.builtin, only: []string{}}
			if file != "" {
				if c, err = readChecked(file); err != nil {
					unread, c = append(unread, err), &checked{only: []string{}}
				}
			}
			if byFile[key] = c; c.family != nil {
				all = append(all, c)
			}
		}
		switch {
		case name == "" && !known:
			c.only = nil
			continue
		case name == "" || c.only == nil || slices.Contains(c.only, name):
			return nil, nil, fmt.Errorf("-i %s is given twice, alone or with the others of its file; remove one", arg)
		}
		if c.family != nil {
			if _, err := c.family.graph(name); err != nil {
				return nil, nil, fmt.Errorf("%s: %w", file, err)
			}
		}
		c.only = append(c.only, name)
	}
	return all, unread, nil
}

// sameFile returns one name for all names of an existing file: if a file were written
// twice, the first change would be lost.
func sameFile(name string) string {
	if name == "" {
		return ""
	}
	if whole, err := filepath.Abs(name); err == nil {
		name = whole
	}
	if target, err := filepath.EvalSymlinks(name); err == nil {
		name = target
	}
	return name
}

// readChecked reads a file of itineraries. An error is a [*fileError].
func readChecked(file string) (*checked, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, &fileError{cannotRead(err)}
	}
	defer f.Close()
	source, err := verify.Load(f, file)
	if err != nil {
		return nil, &fileError{err}
	}
	return checkedOf(source)
}

// checkedOf compiles the itineraries of a file. An error is a [*fileError].
func checkedOf(source *verify.Source) (*checked, error) {
	f, err := newFamily(source.File().Itineraries...)
	if err != nil {
		return nil, &fileError{err}
	}
	return &checked{family: f, source: source, only: []string{}}, nil
}

// unknownItinerary returns the error of an -i that is neither an itinerary nor a file.
func (a *app) unknownItinerary(name string) error {
	hint := wording.DidYouMean(wording.Nearest(name, a.builtin.names()))
	if hint == "" {
		hint = "; built in are " + wording.List(a.builtin.names(), "and") + ", and -i FILE.yaml reads others"
	}
	return fmt.Errorf("unknown itinerary %q%s", name, hint)
}

// names returns the names of the itineraries to check.
func (c *checked) names() []string {
	if c.only == nil {
		return c.family.names()
	}
	return c.only
}

// findings checks the itineraries. If all are checked, it includes the findings that belong
// to no itinerary. The lines that reproduce findings are as users type them.
func (a *app) findings(c *checked) []verify.Finding {
	findings := verify.CheckGraphs(c.family.graphs, a.verifyOptions(c))
	for i := range findings {
		if line := &findings[i].Reproduce; *line != "" {
			*line = a.name + " " + *line
		}
	}
	if c.only == nil {
		return findings
	}
	return slices.DeleteFunc(findings, func(f verify.Finding) bool { return !slices.Contains(c.only, f.Itinerary) })
}

// verifyOptions returns the options with which itineraries are checked. Only of the
// catalogue's is it known what selects and handles them.
func (a *app) verifyOptions(c *checked) verify.Options {
	if c.source != nil {
		return verify.Options{Source: c.source}
	}
	return verify.Options{Suppressions: a.catalogue.Suppress, Selected: a.catalogue.Selected, Runner: a.catalogue.Runner}
}

// printFindings checks itineraries and prints the findings. With --fix, it prints those
// that remain.
func (a *app) printFindings(o *verifyOptions) error {
	if o.fix {
		if err := a.checkFixable(o.itineraries); err != nil {
			return err
		}
	}
	all, unread, err := a.toCheck(o.itineraries)
	if err != nil {
		return err
	}
	for _, unread := range unread {
		err = a.content(unread)
	}
	if len(all) == 0 {
		return err
	}
	if o.dryRun {
		return a.printFixes(all)
	}
	var findings []verify.Finding
	var names []string
	applied := make(map[verify.Rule]bool)
	checked := make(map[string][]string) // rules by itinerary
	for _, c := range all {
		if o.fix {
			if c, err = a.fix(c); err != nil {
				a.problem(err)
			}
		}
		findings = append(findings, a.findings(c)...)
		names = append(names, c.names()...)
		for _, rule := range a.verifyOptions(c).Rules() {
			applied[rule] = true
			for _, name := range c.names() {
				checked[name] = append(checked[name], rule.Name)
			}
		}
	}
	rules := slices.DeleteFunc(verify.Rules(), func(r verify.Rule) bool { return !applied[r] })
	r := a.report(rules, names, verify.ResultsOf(findings))
	r.Checked = checked
	switch o.format {
	case formatTable:
		err = a.printFindingsTable(findings, r)
	case formatJSON:
		out := output{w: a.stdout}
		if err = verify.WriteJSON(&out.buf, findings); err == nil {
			err = out.flush()
		}
	default:
		err = a.printReport(r, &o.reportOptions)
	}
	if err == nil {
		a.failedBy(r, &o.reportOptions, "finding")
	}
	return err
}

// checkFixable returns an error for what --fix cannot change, before anything is read:
// reading a pipe may never end.
func (a *app) checkFixable(args []string) error {
	for _, arg := range args {
		if _, err := a.builtin.graph(arg); err == nil || arg == "-" {
			return fmt.Errorf("--fix changes a file, but -i %s is not one; give -i FILE.yaml", arg)
		}
		file, _ := splitItinerary(arg)
		if err := regular(file); file != "" && err != nil {
			a.problem(fmt.Errorf("--fix: %w", err))
			return errReported
		}
	}
	return nil
}

// printFixes prints a diff of what --fix would change.
func (a *app) printFixes(all []*checked) error {
	out := output{w: a.stdout}
	for _, c := range all {
		fixed, done, err := a.fixed(c)
		switch {
		case err != nil && len(done) > 0:
			a.problem(fmt.Errorf("after the fixes shown: %w", err))
		case err != nil:
			a.problem(err)
		}
		out.buf.WriteString(lineDiff(c.source.Name(), c.source.Text(), fixed.source.Text()))
	}
	return out.flush()
}

// fix changes the file of the itineraries and returns its new content.
func (a *app) fix(c *checked) (*checked, error) {
	next, done, err := a.fixed(c)
	if len(done) == 0 {
		return c, err
	}
	name := c.source.Name()
	if wrong := replaceFile(name, []byte(next.source.Text())); wrong != nil {
		return c, errors.Join(fmt.Errorf("--fix: cannot write: %w", wrong), err)
	}
	what := make([]string, len(done))
	for i, f := range done {
		f.Place = verify.Place{} // the position was in the old text
		if what[i] = f.Rule + " (" + placeOf(&f) + ")"; f.Itinerary != "" {
			what[i] = f.Rule + " (" + f.Itinerary + ", " + placeOf(&f) + ")"
		}
	}
	a.line("note: %s: fixed %d %s: %s", name, len(done), plural("finding", len(done)), strings.Join(what, ", "))
	return next, err
}

// fixed returns the itineraries with everything fixed that can be, and the fixed findings.
// It repeats: a fix can make another possible, such as for a flag that no guard reads any
// more. On error it returns what was fixed so far.
func (a *app) fixed(c *checked) (next *checked, done []verify.Finding, err error) {
	for {
		text, fixed, err := c.source.Fix(a.findings(c))
		if err != nil || len(fixed) == 0 {
			return c, done, err
		}
		source, err := verify.Load(bytes.NewReader(text), c.source.Name())
		if err != nil {
			return c, done, err
		}
		next, err := checkedOf(source)
		if err != nil {
			return c, done, err
		}
		next.only = c.only
		c, done = next, append(done, fixed...)
	}
}

// freeze writes the definitions that -i names, or the built-in ones.
func (a *app) freeze(o *verifyOptions) error {
	all, unread, err := a.toCheck(o.itineraries)
	switch {
	case err != nil:
		return err
	case len(o.itineraries) > 1:
		return errors.New("--freeze writes one release; give -i once, or leave it out for the built-in release")
	case len(unread) > 0:
		return a.content(unread[0])
	case all[0].only != nil:
		return fmt.Errorf("--freeze writes a whole release, since a run may switch between itineraries; leave out %s",
			wording.List(all[0].only, "and"))
	}
	out := output{w: a.stdout}
	r, err := verify.NewRelease(a.current(), all[0].family.graphs...)
	if err == nil {
		err = r.Freeze(&out.buf)
	}
	if err == nil && o.freeze == "-" {
		return out.flush()
	}
	if err == nil {
		err = replaceFile(o.freeze, out.buf.Bytes())
	}
	if err != nil {
		a.problem(fmt.Errorf("--freeze: %w", err))
	}
	return nil
}

// printFindingsTable prints findings as text, by itinerary: each with its place, the
// problem, and how to see it.
func (a *app) printFindingsTable(findings []verify.Finding, r *verify.Report) error {
	out := output{w: a.stdout, width: a.width}
	var order []string
	byItinerary := make(map[string][]verify.Finding)
	for _, f := range findings {
		if byItinerary[f.Itinerary] == nil {
			order = append(order, f.Itinerary)
		}
		byItinerary[f.Itinerary] = append(byItinerary[f.Itinerary], f)
	}
	for _, of := range order {
		findings := byItinerary[of]
		title := "itinerary " + of
		if of == "" {
			title = "flags and names"
		}
		out.buf.WriteString(a.colors.paint(bold, oneLine(title)) + "\n\n")
		var blocks []block
		for i := range findings {
			blocks = append(blocks, a.findingBlock(&findings[i]))
		}
		a.writeBlocks(&out, blocks, "  ")
		out.buf.WriteByte('\n')
	}
	n := len(r.Itineraries)
	what := map[bool]string{true: "itinerary", false: "itineraries"}[n == 1]
	a.writeWrapped(&out, fmt.Sprintf("%d %s, %d rules: %s", n, what, len(r.Rules), countsText(r.Results, "finding", "suppressed")), "")
	return out.flush()
}

// findingBlock describes a finding within its itinerary.
func (a *app) findingBlock(f *verify.Finding) block {
	b := block{head: []cell{a.levelCell(f.Severity), {text: f.Rule}, orDash(placeOf(f))}, lines: []string{f.Text}}
	switch {
	case f.Suppressed != "":
		b.head[0] = cell{text: "suppressed", color: dim}
		b.lines = []string{"reason: " + f.Suppressed}
	case f.Reproduce != "":
		b.copy = []string{"see: " + f.Reproduce}
	case f.Assignment != nil:
		b.lines = append(b.lines, "with "+flagsText(f.Assignment))
	}
	return b
}

// flagsText describes an assignment.
func flagsText(flags []string) string {
	if len(flags) == 0 {
		return "all flags false"
	}
	return wording.List(flags, "and") + " true, the others false"
}

// placeOf describes the place of a finding within its itinerary.
func placeOf(f *verify.Finding) string {
	var parts []string
	for _, part := range []struct{ kind, name string }{{"phase ", f.Phase}, {"step ", f.Step}, {"flag ", f.Flag}} {
		if part.name != "" {
			parts = append(parts, part.kind+part.name)
		}
	}
	if f.Place.File != "" {
		parts = append(parts, f.Place.String())
	}
	return strings.Join(parts, ", ")
}
