package phases

// Propagate returns f with every unknown flag set that the relations force,
// given the known ones: unit propagation (Davis, Putnam, Logemann and Loveland).
// If all but one of the literals of a clause are false, the remaining one must
// hold, which may in turn force others. Known flags keep their values, so that
// relations which f breaks stay broken; [Vocabulary.Broken] lists them. Flags of
// open stay unknown, and nothing follows from what they would be.
func (v *Vocabulary) Propagate(f Facts, open Flags) Facts {
	for changed := true; changed; {
		changed = false
		for _, c := range v.relations {
			if flag, t := c.forces(f); flag&^open != 0 {
				f, changed = f.Set(flag, t), true
			}
		}
	}
	return f
}

// forces returns the flag that the clause forces and its value, or 0 if it
// holds already, is broken, or leaves a choice.
func (c Clause) forces(f Facts) (Flags, Truth) {
	open := (c.True | c.False) &^ f.Known()
	switch {
	case f.yes&c.True != 0 || f.no&c.False != 0, c.True&c.False != 0, open.Len() != 1:
		return 0, Unknown
	case c.True.Has(open):
		return open, True
	}
	return open, False
}
