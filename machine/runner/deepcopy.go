package runner

import "slices"

// The deep-copy methods that controller-gen expects of types that a custom
// resource holds.

// DeepCopyInto copies the state into out; the two share nothing.
func (s *State) DeepCopyInto(out *State) {
	*out = *s
	s.Checkpoint.DeepCopyInto(&out.Checkpoint)
	out.Entered = s.Entered.DeepCopy()
	out.Deadline = s.Deadline.DeepCopy()
	out.WaitingSince = s.WaitingSince.DeepCopy()
	out.PausedSince = s.PausedSince.DeepCopy()
	out.Retry = s.Retry.DeepCopy()
	out.Stopped = s.Stopped.DeepCopy()
	out.Switches = slices.Clone(s.Switches)
	out.Failures = slices.Clone(s.Failures)
	for i := range out.Failures {
		s.Failures[i].DeepCopyInto(&out.Failures[i])
	}
	out.Dropped = s.Dropped.DeepCopy()
	out.FailedAt = s.FailedAt.DeepCopy()
	if s.Token != nil {
		token := *s.Token
		out.Token = &token
	}
	out.RunStarted = s.RunStarted.DeepCopy()
	out.Runs = slices.Clone(s.Runs)
	for i := range out.Runs {
		s.Runs[i].DeepCopyInto(&out.Runs[i])
	}
	out.Pipeline = s.Pipeline.DeepCopy()
}

// DeepCopyInto copies the retry into out; the two share nothing.
func (r *Retry) DeepCopyInto(out *Retry) {
	*out = *r
	out.Flags = slices.Clone(r.Flags)
}

// DeepCopyInto copies the failure into out; the two share nothing.
func (f *Failure) DeepCopyInto(out *Failure) {
	*out = *f
	out.Reasons = slices.Clone(f.Reasons)
}

// DeepCopyInto copies the stop into out.
func (s *Stop) DeepCopyInto(out *Stop) { *out = *s }

// DeepCopyInto copies the switch into out.
func (s *Switch) DeepCopyInto(out *Switch) { *out = *s }

// DeepCopyInto copies the counts into out.
func (d *Dropped) DeepCopyInto(out *Dropped) { *out = *d }

// DeepCopyInto copies the place of a failure into out.
func (f *FailedAt) DeepCopyInto(out *FailedAt) { *out = *f }

// DeepCopyInto copies the past run into out; the two share nothing.
func (r *PastRun) DeepCopyInto(out *PastRun) {
	*out = *r
	r.Started.DeepCopyInto(&out.Started)
	r.Ended.DeepCopyInto(&out.Ended)
}

// DeepCopy returns a copy that shares nothing with the state, or nil if the state is
// nil.
func (s *State) DeepCopy() *State { return deepCopy(s, (*State).DeepCopyInto) }

// DeepCopy copies the retry, as [State.DeepCopy] does.
func (r *Retry) DeepCopy() *Retry { return deepCopy(r, (*Retry).DeepCopyInto) }

// DeepCopy copies the failure, as [State.DeepCopy] does.
func (f *Failure) DeepCopy() *Failure { return deepCopy(f, (*Failure).DeepCopyInto) }

// DeepCopy copies the stop, as [State.DeepCopy] does.
func (s *Stop) DeepCopy() *Stop { return deepCopy(s, (*Stop).DeepCopyInto) }

// DeepCopy copies the switch, as [State.DeepCopy] does.
func (s *Switch) DeepCopy() *Switch { return deepCopy(s, (*Switch).DeepCopyInto) }

// DeepCopy copies the counts, as [State.DeepCopy] does.
func (d *Dropped) DeepCopy() *Dropped { return deepCopy(d, (*Dropped).DeepCopyInto) }

// DeepCopy copies the place of a failure, as [State.DeepCopy] does.
func (f *FailedAt) DeepCopy() *FailedAt { return deepCopy(f, (*FailedAt).DeepCopyInto) }

// DeepCopy copies the past run, as [State.DeepCopy] does.
func (r *PastRun) DeepCopy() *PastRun { return deepCopy(r, (*PastRun).DeepCopyInto) }

func deepCopy[V any](in *V, into func(in, out *V)) *V {
	if in == nil {
		return nil
	}
	out := new(V)
	into(in, out)
	return out
}
