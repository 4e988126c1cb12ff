package steps

import "slices"

// Replanned returns how the steps that have not started differ between two
// versions of a pipeline, by name and in their order: added are those of after
// that have not started and are not in before; removed are those of before that
// are not in after. Both are nil if nothing differs. A step that starts or ends
// is neither. It takes time linear in the steps.
func Replanned(before, after Pipeline) (added, removed []string) {
	if slices.EqualFunc(before, after, func(a, b Step) bool { return a.Name == b.Name }) {
		return nil, nil // as at most calls, and without a map
	}
	was, is := before.names(), after.names()
	for i := range after {
		if name := after[i].Name; !after[i].Ran() && !was[name] {
			added = append(added, name)
			was[name] = true // names it once
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

// names returns the set of the steps' names.
func (p Pipeline) names() map[string]bool {
	names := make(map[string]bool, len(p))
	for i := range p {
		names[p[i].Name] = true
	}
	return names
}
