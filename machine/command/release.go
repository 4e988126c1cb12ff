package command

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"github.com/konveyor/dynamic-pipeline/internal/wording"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/verify"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// currentSuffix follows the name of the built-in release.
const currentSuffix = "@current"

// current returns the name of the built-in release on the command line.
func (a *app) current() string {
	name := a.catalogue.Name
	if name == "" {
		words := strings.Split(a.name, " ")
		name = words[len(words)-1]
	}
	return name + currentSuffix
}

// release is one of the two releases that are compared.
type release struct {
	arg    string
	family *family
	only   string // the itinerary that arg names; empty for all
}

// releaseArg parses an argument that names a release: the built-in one, or a file as it is
// now or was in a commit, and an itinerary in it. Errors are usage errors.
func (a *app) releaseArg(arg string) (ref, file, itinerary string, err error) {
	switch {
	case arg == a.current():
		return "", "", "", nil
	case strings.HasPrefix(arg, a.current()+"#"):
		return "", "", strings.TrimPrefix(arg, a.current()+"#"), nil
	case strings.HasPrefix(arg, gitPrefix):
		if ref, file, err = splitGit(arg); err != nil {
			return "", "", "", err
		}
		if i := strings.LastIndexByte(file, '#'); i >= 0 {
			file, itinerary = file[:i], file[i+1:]
		}
		return ref, file, itinerary, nil
	}
	file, itinerary = splitItinerary(arg)
	if file != "" {
		return "", file, itinerary, nil
	}
	hint := wording.DidYouMean(wording.Nearest(arg, []string{a.current()}))
	if name := strings.TrimSuffix(a.current(), currentSuffix); arg == name {
		hint = wording.DidYouMean([]string{a.current()})
	}
	if hint == "" {
		hint = fmt.Sprintf("; give a FILE.yaml, git:REF:PATH, or %s for the built-in release", a.current())
	}
	return "", "", "", fmt.Errorf("unknown release %q%s", arg, hint)
}

// release reads a release. An error about a file is a [*fileError].
func (a *app) release(ctx context.Context, arg string) (*release, error) {
	ref, file, itinerary, err := a.releaseArg(arg)
	if err != nil {
		return nil, err
	}
	r := &release{arg: arg, family: a.builtin, only: itinerary}
	if file == "" {
		if _, err := a.builtin.graph(itinerary); err != nil && itinerary != "" {
			return nil, fmt.Errorf("%s: %w", a.current(), err)
		}
		return r, nil
	}
	var defs *phases.File
	if ref == "" {
		defs, err = loadFile(file)
	} else {
		var text []byte
		if text, err = gitFile(ctx, ref, file); err == nil {
			defs, err = phases.Load(bytes.NewReader(text), gitPrefix+ref+":"+file)
		}
	}
	if err != nil {
		return nil, &fileError{err}
	}
	if itinerary != "" {
		if _, err := defs.Itinerary(itinerary); err != nil {
			return nil, fmt.Errorf("%s: %w", strings.TrimSuffix(arg, "#"+itinerary), err)
		}
	}
	if r.family, err = newFamily(defs.Itineraries...); err != nil {
		return nil, &fileError{err}
	}
	return r, nil
}

// compared returns the itineraries to compare: the one of that name, or all if the name is
// empty or the release has no such itinerary.
func (r *release) compared(only string) (*verify.Release, error) {
	graphs := r.family.graphs
	if g, err := r.family.graph(only); err == nil {
		graphs = []*machine.Graph{g}
	}
	return verify.NewRelease(r.arg, graphs...)
}
