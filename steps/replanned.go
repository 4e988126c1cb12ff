package steps

import "slices"

// Replanned compares the steps that have not started in two versions of a pipeline. It returns
// names in their order: added are steps of after that have not started and are not in before, and
// removed are steps of before that are not in after. Both are nil if nothing differs. A step that
// starts or ends is neither. Replanned takes time linear in the number of steps.
func Replanned(before, after Pipeline) (added, removed []string) {
	if slices.EqualFunc(before, after, func(a, b Step) bool { return a.Name == b.Name }) {
		return nil, nil // the usual case; it needs no map
	}
	was, is := before.names(), after.names()
	for i := range after {
		if name := after[i].Name; !after[i].Ran() && !was[name] {
			added = append(added, name)
			was[name] = true // lists it once
		}
	}
	for i := range before {
		if name := before[i].Name; !is[name] {
			removed = append(removed, name)
			is[name] = true
		}
	}
	return added, removed
}

// names returns the set of step names.
func (p Pipeline) names() map[string]bool {
	names := make(map[string]bool, len(p))
	for i := range p {
		names[p[i].Name] = true
	}
	return names
}
