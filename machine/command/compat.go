package command

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/verify"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// compatOptions are the options of compat.
type compatOptions struct {
	subject // options for the objects
	reportOptions
	accept, now string
}

func (a *app) compat() *cobra.Command {
	var o compatOptions
	cmd := &cobra.Command{
		Use: "compat OLD NEW [-f FILE...]",
		Args: func(cmd *cobra.Command, args []string) error {
			if !o.rules && len(args) != 2 {
				return fmt.Errorf("compat takes two releases, OLD and NEW, not %d; give each as FILE.yaml, git:REF:PATH or %s",
					len(args), a.current())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			now, err := o.check(cmd, args)
			switch {
			case err != nil:
				return err
			case o.rules:
				return a.printRules(verify.CompatRules(), o.format)
			}
			return a.printCompat(cmd.Context(), &o, args, now)
		},
	}
	o.app = a
	cmd.ValidArgsFunction = a.completeReleases
	f := cmd.Flags()
	f.StringArrayVarP(&o.files, "file", "f", nil, "runs in flight of the old release: "+filesUsage)
	f.Var(&a.stateAt, "state-at", "with -f, the `PATH` of the state on an object, such as .status.upgrade")
	complete(cmd, "state-at", cobra.NoFileCompletions)
	o.registerNames(cmd)
	f.StringVar(&o.accept, "accept", "",
		"the `FILE` that accepts intended breaks, each with a reason and an expiry date")
	f.StringVar(&o.now, "now", "",
		"with --accept, check expiry as of this `TIME`, such as 2026-11-20T12:00:00Z (default now)")
	complete(cmd, "now", cobra.NoFileCompletions)
	a.readers = append(a.readers, cmd)
	o.register(cmd)
	return cmd
}

// register adds the options of reports. It resolves the ambiguity with [subject.register].
func (o *compatOptions) register(cmd *cobra.Command) { o.reportOptions.register(cmd) }

// completeReleases offers the built-in release; the shell adds files.
func (a *app) completeReleases(_ *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 1 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return prefixed([]string{a.current()}, begun), cobra.ShellCompDirectiveDefault
}

// check returns the time as of which acceptances expire, or an error if options exclude
// each other.
func (o *compatOptions) check(cmd *cobra.Command, args []string) (now time.Time, err error) {
	changed := cmd.Flags().Changed
	if o.rules {
		return now, o.checkRules(cmd, args, "file", "state-at", "name", "accept", "now")
	}
	for _, option := range []string{"state-at", "name"} {
		if changed(option) && len(o.files) == 0 {
			return now, fmt.Errorf("--%s needs -f; without objects there is no %s", option, o.app.noun())
		}
	}
	for _, own := range o.app.catalogue.Options {
		if changed(own.Name) && len(o.files) == 0 {
			return now, fmt.Errorf("--%s needs -f; without it no objects are read", own.Name)
		}
	}
	switch now, err = parseNow(cmd, o.now); {
	case err != nil:
		return now, err
	case changed("now") && !changed("accept"):
		return now, errors.New("--now needs --accept: it is the time at which acceptances are checked")
	case changed("accept") && o.accept == "":
		return now, errors.New("--accept needs the name of a file")
	}
	return now, cmp.Or(checkFiles(o.files), o.reportOptions.check())
}

// printCompat compares two releases and prints the breaks.
func (a *app) printCompat(ctx context.Context, o *compatOptions, args []string, now time.Time) error {
	var sides []*release
	for _, arg := range args {
		r, err := a.release(ctx, arg)
		if err != nil {
			return a.content(err)
		}
		sides = append(sides, r)
	}
	only := cmp.Or(sides[0].only, sides[1].only)
	if both := sides[1].only; both != "" && both != only {
		return fmt.Errorf("itineraries %s and %s are compared by their names, which differ; give two of one name, or leave the names out",
			only, both)
	}
	var releases []*verify.Release
	for _, side := range sides {
		r, err := side.compared(only)
		if err != nil {
			a.problem(err)
			return errReported
		}
		releases = append(releases, r)
	}
	options := verify.CompatOptions{Now: now}
	if o.accept != "" {
		var err error
		if options.Acceptances, err = readAcceptances(o.accept); err != nil {
			a.problem(err)
			return errReported
		}
	}
	var recorded *recordedRuns
	if len(o.files) > 0 {
		var err error
		if recorded, err = a.recordedRuns(ctx, o, sides, only); err != nil {
			return err
		}
		options.Objects = recorded.objects
	}
	if only != "" { // acceptances for other itineraries are not unused
		options.Acceptances = slices.DeleteFunc(options.Acceptances, func(a verify.Acceptance) bool { return ofAnother(a, only) })
	}
	found := verify.Compat(releases[0], releases[1], options)
	if only != "" { // a release without that itinerary was compared as a whole
		found.Breaks = slices.DeleteFunc(found.Breaks, func(b verify.Break) bool { return b.Itinerary != "" && b.Itinerary != only })
	}
	for _, unplaced := range found.Unplaced {
		a.problem(unplaced)
	}
	return a.printBreaks(o, args, releases, found, recorded)
}

// ofAnother reports whether an acceptance is for a break of another itinerary.
func ofAnother(a verify.Acceptance, itinerary string) bool {
	parts := strings.Split(a.Fingerprint, "/") // rule, direction, itinerary, names
	return len(parts) > 2 && parts[2] != "" && parts[2] != url.PathEscape(itinerary)
}

// readAcceptances reads the file of --accept.
func readAcceptances(file string) ([]verify.Acceptance, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, cannotRead(err)
	}
	defer f.Close()
	return verify.LoadAcceptances(f, file)
}

// recordedRuns holds the runs of the objects that were read.
type recordedRuns struct {
	objects []verify.Object // in flight
	done    int             // runs that are done
	unread  []string        // runs whose position is not known
	lost    bool            // input that could not be read may hold more
}

// recordedRuns reads the runs of objects. They belong to the catalogue if it has all
// itineraries of the old release, otherwise to the old release.
func (a *app) recordedRuns(ctx context.Context, o *compatOptions, sides []*release, only string) (*recordedRuns, error) {
	old := sides[0].family
	if foreign := without(old.names(), a.builtin.names()); len(foreign) > 0 {
		a.in = old
	}
	if err := a.checkOwnOptions(o); err != nil {
		return nil, err
	}
	all := a.read(&o.subject)
	runs, err := a.chosen(all, &o.filter)
	if err != nil {
		return nil, err
	}
	r := &recordedRuns{objects: []verify.Object{}, lost: len(all.objects.Lost) > 0}
	for _, o := range all.objects.List {
		if o.Broken() && o.Kind == a.catalogue.Kind {
			r.unread = append(r.unread, o.Ref.String())
		}
	}
	for _, run := range runs {
		recorded := run.Recorded()
		err := cmp.Or(recorded.StateErr, recorded.Err, run.SelectErr)
		switch at := checkpointOf(run, recorded, old); {
		case err != nil:
			a.problem(run.wrong(err))
			r.unread = append(r.unread, run.ref())
		case recorded.Done:
			r.done++
		case only != "" && cmp.Or(run.Itinerary, at.Itinerary) != only:
		default:
			at.Facts = a.factsInFlight(ctx, run, recorded, old, at)
			r.objects = append(r.objects, verify.Object{Name: run.ref(), Checkpoint: at, Selected: run.Itinerary})
		}
	}
	a.noteLeftOut()
	return r, nil
}

// checkOwnOptions returns an error if options of the catalogue are given for objects that
// are not its own.
func (a *app) checkOwnOptions(o *compatOptions) error {
	for _, own := range a.catalogue.Options {
		if *a.options[own.Name] && !a.isBuiltin() {
			return fmt.Errorf("--%s is about the objects of %s; leave it out for those of another release", own.Name, a.current())
		}
	}
	return nil
}

// checkpointOf returns the checkpoint of a run, with the phase under the name that the
// release knows. A run whose state this project did not write always switches to the
// selected itinerary.
func checkpointOf(run *Run, recorded Recorded, of *family) machine.Checkpoint {
	at := recorded.State.Checkpoint
	if !recorded.Own {
		at.Itinerary, at.Phase = cmp.Or(at.Itinerary, recorded.Itinerary), recorded.Phase
		if run.Itinerary != "" && at.Itinerary != run.Itinerary {
			return machine.Checkpoint{Itinerary: run.Itinerary, Facts: at.Facts}
		}
	}
	if recorded.Was == "" {
		return at
	}
	for _, g := range of.graphs {
		if _, err := g.Lookup(recorded.Was); err == nil && (at.Itinerary == "" || at.Itinerary == g.Name()) {
			at.Phase = recorded.Was
		}
	}
	return at
}

// factsInFlight returns the flags of a run in flight by the vocabulary of its release: the
// recorded ones, and the others from the objects.
func (a *app) factsInFlight(ctx context.Context, r *Run, recorded Recorded, of *family, at machine.Checkpoint) phases.Record {
	g, err := of.graph(cmp.Or(r.Itinerary, at.Itinerary))
	if err != nil || recorded.Own && recorded.State.Visit > 0 {
		return at.Facts
	}
	v := a.objectsFamily().vocabulary()
	sources := a.sources(r, v)
	if sources == nil {
		return at.Facts
	}
	facts := sources.Evaluate(ctx, phases.Request{Read: v.All(), Known: v.Facts(at.Facts)}).Facts
	return g.Vocabulary().Record(g.Vocabulary().Facts(v.Record(facts, "")), g.Hash())
}

// printBreaks prints the breaks in a format.
func (a *app) printBreaks(
	o *compatOptions, args []string, releases []*verify.Release, found *verify.CompatReport, recorded *recordedRuns,
) error {
	var names []string
	for _, r := range releases {
		names = append(names, without(r.Itineraries(), names)...)
	}
	r := a.report(verify.CompatRules(), names, verify.BreakResultsOf(found.Breaks))
	var err error
	switch o.format {
	case formatTable:
		err = a.printBreaksTable(args, found, recorded, r)
	case formatJSON:
		out := output{w: a.stdout}
		if err = verify.WriteJSON(&out.buf, found.Breaks); err == nil {
			err = out.flush()
		}
	default:
		if err = a.placeBreaks(r.Results, found.Breaks, args[1]); err == nil {
			err = a.printReport(r, &o.reportOptions)
		}
	}
	if err == nil {
		a.failedBy(r, &o.reportOptions, "break")
		if o.level() == "" && slices.ContainsFunc(found.Breaks, func(b verify.Break) bool { return b.Rule == verify.RuleInconclusive }) {
			a.problem(errors.New("the result is inconclusive, which is an error even with --fail-level none"))
		}
	}
	return err
}

// placeBreaks sets the places of results for reports that are shown beside a change: in the
// new release, if that is a file. Breaks about acceptances have a place already.
func (a *app) placeBreaks(results []verify.Result, breaks []verify.Break, arg string) error {
	var source *verify.Source
	if ref, file, _, err := a.releaseArg(arg); err == nil && ref == "" && file != "" {
		c, err := readChecked(file)
		if err != nil {
			return err
		}
		source = c.source
	}
	for i := range breaks {
		if b := &breaks[i]; source != nil && !ofAcceptance(b) {
			results[i].Place = source.Place(b.Itinerary, b.Phase)
		}
	}
	return nil
}

// printBreaksTable prints breaks as text, by direction and kind.
func (a *app) printBreaksTable(args []string, found *verify.CompatReport, recorded *recordedRuns, r *verify.Report) error {
	out := output{w: a.stdout, width: a.width}
	a.writeDirection(&out, "upgrade from "+args[0]+" to "+args[1], verify.Upgrade, found.Breaks)
	a.writeDirection(&out, "rollback from "+args[1]+" to "+args[0], verify.Rollback, found.Breaks)
	var unused []block
	for i := range found.Breaks {
		if b := &found.Breaks[i]; ofAcceptance(b) {
			one := block{head: []cell{a.levelCell(b.Severity()), {text: b.Rule}}, lines: []string{b.Text}}
			if b.Place != nil {
				one.head = append(one.head, cell{text: b.Place.String()})
			}
			unused = append(unused, one)
		}
	}
	if unused != nil {
		out.buf.WriteString(a.colors.paint(bold, "acceptances") + "\n\n")
		a.writeBlocks(&out, unused, "  ")
		out.buf.WriteByte('\n')
	}
	a.writeWrapped(&out, countsText(r.Results, "break", "accepted"), "")
	if recorded != nil {
		a.writeWrapped(&out, recorded.summary(found), "")
	}
	return out.flush()
}

// ofAcceptance reports whether a break is about an acceptance.
func ofAcceptance(b *verify.Break) bool {
	return b.Rule == verify.RuleAcceptanceUnused || b.Rule == verify.RuleAcceptanceExpired
}

// kinds are the kinds of breaks, the worst first, with their meanings.
var kinds = []struct {
	kind  verify.Kind
	means string
}{
	{verify.StateKind, "a run cannot be resumed"},
	{verify.WorkKind, "work is done twice, skipped, or done in another order"},
	{verify.ViewKind, "users see other steps"},
	{verify.DefinitionKind, "a run is replanned"},
}

// writeDirection writes the breaks in one direction.
func (a *app) writeDirection(out *output, title string, d verify.Direction, breaks []verify.Break) {
	out.buf.WriteString(a.colors.paint(bold, oneLine(title)) + "\n\n")
	some := false
	for _, k := range kinds {
		var blocks []block
		for _, alike := range alikeBreaks(breaks, d, k.kind) {
			blocks = append(blocks, a.breakBlock(alike))
		}
		if blocks == nil {
			continue
		}
		some = true
		out.buf.WriteString("  " + a.colors.paint(levelColors[k.kind.Severity()], string(k.kind)) + ": " + k.means + "\n\n")
		a.writeBlocks(out, blocks, "    ")
		out.buf.WriteByte('\n')
	}
	if !some {
		out.buf.WriteString("  nothing breaks\n\n")
	}
}

// alikeBreaks returns the breaks of a direction and a kind. Breaks form a group if rule,
// itinerary, phase in flight, objects, acceptance and suggestion are equal. A break without a
// state is a group of its own.
func alikeBreaks(breaks []verify.Break, d verify.Direction, k verify.Kind) (all [][]*verify.Break) {
	type key struct{ rule, itinerary, phase, objects, accepted, suggestion string }
	index := make(map[key]int)
	for i := range breaks {
		b := &breaks[i]
		if b.Direction != d || b.Kind != k || ofAcceptance(b) {
			continue
		}
		if b.State == nil {
			all = append(all, []*verify.Break{b})
			continue
		}
		of := key{b.Rule, b.Itinerary, b.State.Phase, strings.Join(b.Objects, "\n"), b.Accepted, b.Suggestion}
		at, known := index[of]
		if !known {
			at = len(all)
			index[of] = at
			all = append(all, nil)
		}
		all[at] = append(all[at], b)
	}
	return all
}

// breakBlock describes a group of breaks: the rule and the place, what happens, in which
// state, to which objects, and what to do.
func (a *app) breakBlock(alike []*verify.Break) block {
	b := alike[0]
	where := breakPlace(b)
	if n := len(alike); n > 1 {
		where = fmt.Sprintf("%s and %d more at %s", where, n-1, cmp.Or(b.State.Phase, "the beginning"))
	}
	one := block{head: []cell{{text: b.Rule}, orDash(where)}, lines: []string{b.Text}}
	if b.State != nil {
		one.lines = append(one.lines, "in flight: "+b.State.String())
	}
	if len(b.Objects) > 0 {
		one.lines = append(one.lines, fmt.Sprintf("recorded: %d (%s)", len(b.Objects), many(b.Objects)))
	}
	if b.Accepted != "" {
		one.lines = append(one.lines, "accepted: "+b.Accepted)
	} else if b.Suggestion != "" {
		one.copy = append(one.copy, "fix: "+b.Suggestion)
	}
	if len(alike) > 1 || b.Acceptable() && b.Severity().Reaches(verify.Warning) {
		for _, b := range alike {
			one.copy = append(one.copy, "fingerprint: "+b.Fingerprint())
		}
	}
	return one
}

// summary describes what the comparison means for the recorded runs. It never counts a run
// as able to continue if the run cannot be placed or the comparison reached a limit.
func (r *recordedRuns) summary(found *verify.CompatReport) string {
	met, unsure := []string{}, slices.Clone(r.unread)
	open := false // the comparison reached a limit
	for _, b := range found.Breaks {
		open = open || b.Rule == verify.RuleInconclusive && b.Direction == verify.Upgrade
		if b.Direction == verify.Upgrade && b.Kind.Severity() == verify.Error {
			met = append(met, without(slices.Clone(b.Objects), met)...)
		}
	}
	for _, p := range found.Unplaced {
		unsure = append(unsure, without([]string{p.Object}, slices.Concat(unsure, met))...)
	}
	n := len(r.objects) + len(r.unread)
	rest := n - len(met) - len(unsure)
	if n == 0 {
		return "no recorded run is in flight" + map[bool]string{true: "; input that could not be read may hold some"}[r.lost]
	}
	var parts []string
	add := func(format string, args ...any) { parts = append(parts, fmt.Sprintf(format, args...)) }
	if len(met) > 0 {
		add("%d cannot continue as before (%s)", len(met), many(met))
	}
	if len(unsure) > 0 {
		add("unknown whether %d can continue (%s)", len(unsure), many(unsure))
	}
	switch {
	case rest == 0:
	case open:
		add("for %d it is not known, because not every state was checked", rest)
	default:
		add("%d can continue", rest)
	}
	if r.lost {
		add("input that could not be read may hold more")
	}
	return fmt.Sprintf("recorded and not done: %d; %s", n, strings.Join(parts, "; "))
}

// breakPlace describes the place of a break.
func breakPlace(b *verify.Break) string {
	parts := []string{b.Itinerary}
	for _, part := range []struct{ kind, name string }{{"phase ", b.Phase}, {"choice ", b.Choice}, {"step ", b.Step}, {"flag ", b.Flag}} {
		if part.name != "" {
			parts = append(parts, part.kind+part.name)
		}
	}
	return strings.Join(slices.DeleteFunc(parts, func(p string) bool { return p == "" }), ", ")
}
