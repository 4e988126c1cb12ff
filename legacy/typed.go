package legacy

import "encoding/json"

// UpgradeStatus is [Adapter.Upgrade] for a typed status: a struct with a JSON
// form, such as the status of a custom resource. On an error, or if nothing
// changes, status is not touched. Otherwise it is replaced, and fields that have
// no JSON form become empty. The remainder and the warnings are those of
// [Upgraded]. The error is one of [Adapter.Upgrade], or a [*StatusError] if the
// type cannot be written as JSON or cannot hold the result.
//
// A status must not be used by other goroutines during the call.
//
// The steps of the type must have the JSON field skipped, as [steps.Step] does;
// otherwise skipped steps are taken for steps not started.
//
// [steps.Step]: https://pkg.go.dev/github.com/konveyor/dynamic-pipeline/steps#Step
func UpgradeStatus[T any](a *Adapter, status *T, now *Selected) (remainder json.RawMessage, warnings []error, err error) {
	var up Upgraded
	err = adapt(status, func(raw []byte) (_ json.RawMessage, err error) {
		up, err = a.Upgrade(raw, now)
		return up.Status, err
	})
	if err != nil {
		return nil, nil, err
	}
	return up.Remainder, up.Warnings, nil
}

// DowngradeStatus is [Adapter.Downgrade] for a typed status. It treats the status
// like [UpgradeStatus]; the error is a [*StatusError].
func DowngradeStatus[T any](a *Adapter, status *T, remainder []byte) (warnings []error, err error) {
	var down Downgraded
	err = adapt(status, func(raw []byte) (_ json.RawMessage, err error) {
		down, err = a.Downgrade(raw, remainder)
		return down.Status, err
	})
	if err != nil {
		return nil, err
	}
	return down.Warnings, nil
}

// adapt applies a function to the JSON form of a typed status.
func adapt[T any](status *T, through func([]byte) (json.RawMessage, error)) error {
	before, err := json.Marshal(status)
	if err != nil {
		return &StatusError{Place: "status", Problem: "cannot be written as JSON", Err: err}
	}
	after, err := through(before)
	if err != nil || string(before) == string(after) {
		return err
	}
	var out T // a new value, since other variables may share slices and pointers of *status
	if err := json.Unmarshal(after, &out); err != nil {
		return &StatusError{Place: "status", Problem: "cannot be read back from JSON", Err: err}
	}
	*status = out
	return nil
}
