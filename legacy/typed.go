package legacy

import "encoding/json"

// UpgradeStatus is [Adapter.Upgrade] for a typed status: a struct that is read
// and written as JSON, as the status of a custom resource is. If nothing
// changes, or on an error, status is left alone. Otherwise it is replaced: what
// is not in its JSON comes out empty. The remainder and the warnings are those
// of [Upgraded].
//
// The type must have the field skipped on its steps, as [steps.Step] does, or
// skipped steps will be taken for steps not started.
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

// DowngradeStatus is [Adapter.Downgrade] for a typed status; see
// [UpgradeStatus].
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

// adapt takes a typed status through JSON.
func adapt[T any](status *T, through func([]byte) (json.RawMessage, error)) error {
	before, err := json.Marshal(status)
	if err != nil {
		return &StatusError{Place: "status", Problem: "cannot be written as JSON", Err: err}
	}
	after, err := through(before)
	if err != nil || string(before) == string(after) {
		return err
	}
	var out T // not the one given, whose slices and pointers others may share
	if err := json.Unmarshal(after, &out); err != nil {
		return &StatusError{Place: "status", Problem: "cannot be read back from JSON", Err: err}
	}
	*status = out
	return nil
}
