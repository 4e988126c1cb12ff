package record

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/tests/e2e/example/api"
)

// Version is one version of a migration, as a watcher saw it.
type Version struct {
	Name, ResourceVersion string
	// Known means that the controller has written its state.
	Known bool
	State runner.State
	// Errors are the errors in the status.
	Errors []string
	// Object is the whole object.
	Object *unstructured.Unstructured
}

// Rules configure the checks.
type Rules struct {
	// Itineraries are the itineraries of the controller.
	Itineraries *machine.Set
	// Forbidden returns the steps that no version of a migration may show.
	Forbidden func(migration string) []string
	// Outages means that the test kills the API server. A watcher may miss
	// versions of its last moments.
	Outages bool
}

// Recorder records the migrations of one namespace.
type Recorder struct {
	rules Rules
	stop  func()

	mu       sync.Mutex
	changed  chan struct{} // closed at each version
	versions map[string][]Version
	entered  time.Time // when a migration was last seen in a new phase
	problems []string
}

// Start records the objects of a resource from now on, until the context is
// done or Stop is called. After an outage of the API server it continues.
func Start(
	ctx context.Context, config *rest.Config, resource schema.GroupVersionResource, namespace string, rules Rules,
) (*Recorder, error) {
	c, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	objects := c.Resource(resource).Namespace(namespace)
	list, err := objects.List(ctx, metav1.ListOptions{Limit: 1})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	r := &Recorder{rules: rules, changed: make(chan struct{}), versions: map[string][]Version{}, stop: func() { cancel(); <-done }}
	go func() {
		defer close(done)
		r.follow(ctx, objects, list.GetResourceVersion())
	}()
	return r, nil
}

// Stop ends the recording.
func (r *Recorder) Stop() { r.stop() }

func (r *Recorder) follow(ctx context.Context, objects dynamic.ResourceInterface, from string) {
	for ctx.Err() == nil {
		next, err := r.watch(ctx, objects, from)
		if expired := apierrors.IsResourceExpired(err) || apierrors.IsGone(err); expired {
			next, err = r.again(ctx, objects)
		}
		if next != "" {
			from = next
		}
		if err != nil {
			select {
			case <-ctx.Done():
			case <-time.After(50 * time.Millisecond):
			}
		}
	}
}

// watch watches until the API server ends the watch, and returns the version
// to continue from.
func (r *Recorder) watch(ctx context.Context, objects dynamic.ResourceInterface, from string) (next string, err error) {
	w, err := objects.Watch(ctx, metav1.ListOptions{ResourceVersion: from})
	if err != nil {
		return "", err
	}
	defer w.Stop()
	for e := range w.ResultChan() {
		switch o := e.Object.(type) {
		case *unstructured.Unstructured:
			next = o.GetResourceVersion()
			if e.Type != watch.Deleted {
				r.add(o)
			}
		case *metav1.Status:
			err = apierrors.FromObject(o)
		}
	}
	return next, err
}

// again restarts from the current objects if the API server has forgotten the
// version. That is harmless if there are none, as with a new definition.
func (r *Recorder) again(ctx context.Context, objects dynamic.ResourceInterface) (from string, err error) {
	list, err := objects.List(ctx, metav1.ListOptions{})
	if err != nil {
		return "", err
	}
	if len(list.Items) > 0 && !r.rules.Outages {
		r.problem("the watch has lost versions")
	}
	for i := range list.Items {
		o := &list.Items[i]
		if all := r.Versions(o.GetName()); len(all) == 0 || all[len(all)-1].ResourceVersion != o.GetResourceVersion() {
			r.add(o)
		}
	}
	return list.GetResourceVersion(), nil
}

func (r *Recorder) problem(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.problems = append(r.problems, fmt.Sprintf(format, args...))
}

func (r *Recorder) add(o *unstructured.Unstructured) {
	v, err := read(o)
	if err != nil {
		r.problem("%s at %s: %v", o.GetName(), o.GetResourceVersion(), err)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	var before *Version
	if all := r.versions[v.Name]; len(all) > 0 {
		before = &all[len(all)-1]
	}
	for _, p := range r.rules.check(before, &v) {
		r.problems = append(r.problems, fmt.Sprintf("%s at version %s: %s", v.Name, v.ResourceVersion, p))
	}
	if before == nil || before.State.Phase != v.State.Phase || !before.State.Entered.Equal(v.State.Entered) {
		r.entered = time.Now()
	}
	r.versions[v.Name] = append(r.versions[v.Name], v)
	close(r.changed)
	r.changed = make(chan struct{})
}

// read reads the state of either custom resource.
func read(o *unstructured.Unstructured) (Version, error) {
	v := Version{Name: o.GetName(), ResourceVersion: o.GetResourceVersion(), Object: o}
	b, err := json.Marshal(o.Object)
	if err != nil {
		return v, err
	}
	if o.GroupVersionKind().Group == api.Variant.Group {
		var m api.Migration
		if err := json.Unmarshal(b, &m); err != nil {
			return v, err
		}
		v.Errors, v.Known = m.Status.Errors, m.Status.Itinerary != ""
		v.State, err = m.State()
		return v, err
	}
	var m api.MigMigration
	if err := json.Unmarshal(b, &m); err != nil {
		return v, err
	}
	v.Errors = m.Status.Errors
	if _, v.Known = m.Annotations[api.StateAnnotation]; v.Known {
		v.State, err = m.State()
		return v, err
	}
	v.State.Pipeline = m.Status.Pipeline
	return v, nil
}

// Problems returns all violations in the order in which they were seen.
func (r *Recorder) Problems() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.problems)
}

// Entered returns the time when any migration was last seen in another phase
// than before.
func (r *Recorder) Entered() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.entered
}

// Versions returns all versions of a migration.
func (r *Recorder) Versions(migration string) []Version {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.versions[migration])
}

// Steps returns all steps that were ever seen of a migration, in the order in
// which they appeared.
func (r *Recorder) Steps(migration string) []string {
	var names []string
	for _, v := range r.Versions(migration) {
		for _, s := range v.State.Pipeline {
			if !slices.Contains(names, s.Name) {
				names = append(names, s.Name)
			}
		}
	}
	return names
}

// Until waits for a version of the migration for which is returns true, and
// returns the first. If the context ends earlier, the error wraps its cause.
func (r *Recorder) Until(ctx context.Context, migration string, is func(Version) bool) (Version, error) {
	for {
		r.mu.Lock()
		all, changed := r.versions[migration], r.changed
		r.mu.Unlock()
		if i := slices.IndexFunc(all, is); i >= 0 {
			return all[i], nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			last := "no version was seen"
			if len(all) > 0 {
				v := all[len(all)-1]
				pipeline, _ := json.Marshal(v.State)
				last = fmt.Sprintf("last seen, after %d versions: %s", len(all), pipeline)
			}
			return Version{}, fmt.Errorf("migration %s: %w; %s", migration, context.Cause(ctx), last)
		}
	}
}

// Done waits until a migration is done, and returns its first version that is
// done.
func (r *Recorder) Done(ctx context.Context, migration string) (Version, error) {
	return r.Until(ctx, migration, func(v Version) bool { return v.State.Done })
}
