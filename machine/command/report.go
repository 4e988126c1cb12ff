package command

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/konveyor/dynamic-pipeline/internal/wording"
	"github.com/konveyor/dynamic-pipeline/machine/verify"
)

// The formats of reports.
const (
	formatSARIF  = "sarif"
	formatJUnit  = "junit"
	formatGitHub = "github"
)

// failNever is the value of --fail-level with which no finding fails.
const failNever = "none"

// reportOptions are the options of commands that report findings.
type reportOptions struct {
	format, failLevel string
	rules             bool
}

func (o *reportOptions) register(cmd *cobra.Command) {
	registerOutput(cmd, &o.format, formatTable, "output `FORMAT`: table, json, sarif, junit or github",
		formatTable, formatJSON, formatSARIF, formatJUnit, formatGitHub)
	levels := []string{string(verify.Info), string(verify.Warning), string(verify.Error), failNever}
	cmd.Flags().StringVar(&o.failLevel, "fail-level", string(verify.Warning),
		"exit with 1 if something is found at this `LEVEL` or above: info, warning or error; none for never")
	complete(cmd, "fail-level", fixed(levels...))
	cmd.Flags().BoolVar(&o.rules, "rules", false, "print only the rules, as a table or as json")
}

// check returns an error if a value is invalid.
func (o *reportOptions) check() error {
	if err := checkChoice("-o", o.format, formatTable, formatJSON, formatSARIF, formatJUnit, formatGitHub); err != nil {
		return err
	}
	return checkChoice("--fail-level", o.failLevel, string(verify.Info), string(verify.Warning), string(verify.Error), failNever)
}

// level is the level from which a finding fails. Empty means that none fails.
func (o *reportOptions) level() verify.Severity {
	if o.failLevel == failNever {
		return ""
	}
	return verify.Severity(o.failLevel)
}

// checkRules returns an error if --rules is combined with another option or an argument.
func (o *reportOptions) checkRules(cmd *cobra.Command, args []string, others ...string) error {
	if len(args) > 0 {
		return fmt.Errorf("--rules only prints rules; leave out %q", args[0])
	}
	for _, option := range append(others, "fail-level") {
		if cmd.Flags().Changed(option) {
			return fmt.Errorf("--rules only prints rules; leave out --%s", option)
		}
	}
	return checkChoice("-o with --rules", o.format, formatTable, formatJSON)
}

// printRules prints rules. The format must be table or JSON.
func (a *app) printRules(rules []verify.Rule, format string) error {
	out := output{w: a.stdout, width: a.width}
	if format == formatJSON {
		if err := verify.WriteJSON(&out.buf, rules); err != nil {
			return err
		}
		return out.flush()
	}
	t := table{colors: a.colors, width: a.width}
	t.head("RULE", "LEVEL", "FINDS")
	for _, r := range rules {
		t.row(cell{text: r.Name}, a.levelCell(r.Severity), cell{text: r.Definition})
	}
	t.write(&out.buf, "")
	return out.flush()
}

// levelColors are the colours of levels.
var levelColors = map[verify.Severity]string{verify.Error: red, verify.Warning: yellow}

func (a *app) levelCell(s verify.Severity) cell { return cell{text: string(s), color: levelColors[s]} }

// report returns the report of results that the rules found in the itineraries.
func (a *app) report(rules []verify.Rule, itineraries []string, results []verify.Result) *verify.Report {
	directory, _ := os.Getwd() // if unknown, file names stay as they are
	return &verify.Report{
		Tool: a.name, Version: a.version(), Rules: rules, Itineraries: itineraries, Results: results, Directory: directory,
	}
}

// printReport prints a report as SARIF, JUnit or GitHub annotations.
func (a *app) printReport(r *verify.Report, o *reportOptions) error {
	out := output{w: a.stdout}
	var err error
	switch o.format {
	case formatSARIF:
		err = r.WriteSARIF(&out.buf)
	case formatJUnit:
		err = r.WriteJUnit(&out.buf, o.level())
	case formatGitHub:
		err = r.WriteGitHub(&out.buf)
	}
	if err != nil {
		return err
	}
	return out.flush()
}

// failedBy prints a problem if results reach --fail-level.
func (a *app) failedBy(r *verify.Report, o *reportOptions, one string) {
	n := 0
	for i := range r.Results {
		if r.Results[i].Reaches(o.level()) {
			n++
		}
	}
	if n > 0 {
		a.problem(fmt.Errorf("%d %s at level %s or above", n, plural(one, n), o.failLevel))
	}
}

// countsText describes how many results there are of each level, and how many are
// suppressed.
func countsText(results []verify.Result, one, suppressed string) string {
	count := make(map[verify.Severity]int)
	quiet := 0
	for i := range results {
		if results[i].Suppressed != "" {
			quiet++
			continue
		}
		count[results[i].Level]++
	}
	n := len(results) - quiet
	text := fmt.Sprintf("%d %s", n, plural(one, n))
	var parts []string
	for _, level := range []verify.Severity{verify.Error, verify.Warning, verify.Info} {
		if c := count[level]; c > 0 {
			name := string(level)
			if level != verify.Info {
				name = plural(name, c)
			}
			parts = append(parts, fmt.Sprintf("%d %s", c, name))
		}
	}
	if len(parts) > 0 {
		text += " (" + wording.List(parts, "and") + ")"
	}
	if quiet > 0 {
		text += fmt.Sprintf(", %d %s", quiet, suppressed)
	}
	return text
}

// block is a row of columns, followed by lines that are wrapped and lines to copy, which
// are not.
type block struct {
	head        []cell
	lines, copy []string
}

// blockIndent is the indent of the lines of a block.
const blockIndent = "  "

// writeBlocks writes blocks with their columns aligned, each line after the indent.
func (a *app) writeBlocks(out *output, blocks []block, indent string) {
	t := table{colors: a.colors, width: a.width}
	for _, b := range blocks {
		t.row(b.head...)
	}
	widths := t.widths()
	for i, b := range blocks {
		if i > 0 {
			out.buf.WriteByte('\n')
		}
		t.writeRow(&out.buf, b.head, widths, indent)
		for _, line := range b.lines {
			a.writeWrapped(out, line, indent+blockIndent)
		}
		for _, line := range b.copy {
			out.buf.WriteString(indent + blockIndent + oneLine(line) + "\n")
		}
	}
}

// writeWrapped writes a text after an indent, wrapped at the width of the terminal.
func (a *app) writeWrapped(out *output, text, indent string) {
	lines := []string{oneLine(text)}
	if a.width > 0 {
		lines = wrapWords(lines[0], max(a.width-runes(indent), minLast))
	}
	for _, line := range lines {
		out.buf.WriteString(indent + line + "\n")
	}
}
