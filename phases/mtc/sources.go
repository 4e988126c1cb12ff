package mtc

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"github.com/konveyor/dynamic-pipeline/phases"
)

// Objects holds the objects that determine the flags of one migration. Any of them
// may be nil. An object that was not read does not count as absent: flags that
// depend on it are unknown, with a [*MissingError]. Do not change the objects while
// their [Sources] are in use.
type Objects struct {
	Migration *Migration
	// Plan is the object of the migration's migPlanRef.
	Plan *Plan
	// Source and Destination are the objects of the plan's srcMigClusterRef and
	// destMigClusterRef. If both references are equal, neither is needed.
	Source, Destination *Cluster
	// Controller is the MigrationController of the migration's namespace. If nil,
	// DisableImageCopy applies instead, the setting of the embedding controller.
	Controller       *Controller
	DisableImageCopy bool
	// ImageStreams searches the source cluster for image streams.
	ImageStreams ImageStreams
	// Unread returns the reason why an object that is nil above was not read, such
	// as a syntax error, or nil if the input did not contain it. Its arguments are
	// the kind and another object's reference to it. For the Controller the
	// reference has only a namespace, and an error means that a Controller exists.
	// Unread must be safe for concurrent use. It may be nil.
	Unread func(kind string, ref Ref) error
}

// ImageStreams searches the source cluster of a migration for image streams. Only
// this source of MTC's flags leaves the process, and it may take seconds. It is
// called only if the other flags do not settle the answer.
type ImageStreams interface {
	// HasImageStreams reports whether at least one of the namespaces, named as on
	// the source cluster, has an ImageStream. It must return once ctx is done. An
	// error means that the answer is unknown; the call is retried later.
	HasImageStreams(ctx context.Context, namespaces []string) (bool, error)
}

// ImageStreamsFunc is a function that implements [ImageStreams].
type ImageStreamsFunc func(ctx context.Context, namespaces []string) (bool, error)

// HasImageStreams calls f.
func (f ImageStreamsFunc) HasImageStreams(ctx context.Context, namespaces []string) (bool, error) {
	return f(ctx, namespaces)
}

// ReadImageStreams implements [ImageStreams] with objects that were read in advance.
// The zero value means that none was read, but not that there are none. It is safe
// for concurrent use as long as its maps do not change.
type ReadImageStreams struct {
	// Namespaces is the set of namespaces of which an ImageStream was read.
	Namespaces map[string]bool
	// Unread holds the namespaces that have or may have an ImageStream that was not
	// read, with the reason. The empty namespace stands for all, such as after an
	// input that ended early.
	Unread map[string]error
	// Complete means that there are no other image streams than those of Namespaces
	// and Unread, even if Namespaces is empty.
	Complete bool
}

// HasImageStreams reports whether one of the namespaces is in Namespaces. If none is,
// it returns a [*MissingError] in two cases: one of the namespaces, or the empty one,
// is in Unread; or no ImageStream was read at all and r is not Complete.
func (r ReadImageStreams) HasImageStreams(_ context.Context, namespaces []string) (bool, error) {
	if slices.ContainsFunc(namespaces, func(n string) bool { return r.Namespaces[n] }) {
		return true, nil
	}
	for _, n := range append(slices.Clone(namespaces), "") {
		if err := r.Unread[n]; err != nil {
			return false, &MissingError{Kind: KindImageStream, Object: Ref{Namespace: n}, Err: err}
		}
	}
	if len(r.Namespaces) == 0 && !r.Complete {
		return false, &MissingError{Kind: KindImageStream}
	}
	return false, nil
}

var (
	_ ImageStreams = ImageStreamsFunc(nil)
	_ ImageStreams = ReadImageStreams{}
)

// The values of fields that flags depend on.
const (
	actionCopy = "copy"
	actionMove = "move"
	actionSkip = "skip"

	methodFilesystem = "filesystem"
	methodBlock      = "block"
	methodSnapshot   = "snapshot"

	reasonStateMigration    = "StateMigrationPlan"
	reasonStorageConversion = "StorageConversionPlan"

	resourceImageStreams      = "imagestreams"
	resourcePersistentVolumes = "persistentvolumes"
)

// Sources returns the sources of the 19 flags of [Vocabulary], which evaluate them from the
// objects. Only HasISs is slow. DirectVolume and HasStageBackup are computed from other flags.
// These two, StorageConversion and EnableImage are known as soon as the known operands settle
// them, even if an object is missing or a URL cannot be parsed.
//
// Each override replaces the source of its flag. Its values must keep the relations
// of the vocabulary: if you override DirectImage, also override IndirectImage. If
// [phases.NewSources] refuses an override, the error is a [*phases.SourceError];
// without overrides it is nil.
//
// The cause of an unknown flag is a [*MissingError], a [*ClusterURLError], the error
// of ImageStreams, or a [*phases.UnknownInputError] if it is computed from such a
// flag. The sources are safe for concurrent use if ImageStreams and
// the overrides are.
func Sources(o Objects, overrides ...phases.Source) (*phases.Sources, error) {
	return o.sources(vocabulary, overrides)
}

// sources returns the overrides and, for all other flags of MTC, the sources of the
// table.
func (o Objects) sources(v *phases.Vocabulary, overrides []phases.Source) (*phases.Sources, error) {
	sources := slices.Clone(overrides) // first, since errors name their index
	var overridden phases.Flags
	for _, s := range overrides {
		overridden |= s.Flag
	}
	for _, s := range o.table() {
		if !overridden.Has(s.Flag) {
			sources = append(sources, s)
		}
	}
	return phases.NewSources(v, sources...)
}

// table returns a source for each of MTC's flags.
func (o Objects) table() []phases.Source {
	return []phases.Source{
		{Flag: Quiesce, Evaluate: o.migration(func(m *Migration) bool { return m.Spec.QuiescePods })},
		{Flag: HasStagePods, Evaluate: o.migration((*Migration).hasStagePods)},
		{Flag: HasPVs, Evaluate: o.plan(func(p *Plan) bool { return p.someVolume(Volume.taken) })},
		{Flag: HasVerify, Evaluate: o.migration(func(m *Migration) bool { return m.Spec.Verify })},
		{Flag: HasISs, Slow: true, Evaluate: o.hasISs},
		{Flag: DirectImage, Evaluate: o.plan(func(p *Plan) bool { return !p.Spec.IndirectImage })},
		{Flag: IndirectImage, Evaluate: o.plan(func(p *Plan) bool { return p.Spec.IndirectImage })},
		{Flag: DirectVolume, Inputs: IndirectVolume, Evaluate: rule(o.directVolume).evaluate},
		{Flag: IndirectVolume, Evaluate: o.plan(func(p *Plan) bool { return p.Spec.IndirectVolume })},
		{
			Flag: HasStageBackup, Inputs: HasISs | IndirectImage | HasPVs | IndirectVolume | StorageConversion,
			Evaluate: rule(o.hasStageBackup).evaluate,
		},
		{Flag: EnableImage, Evaluate: rule(o.enableImage).evaluate},
		{Flag: EnableVolume, Evaluate: o.plan(func(p *Plan) bool { return !p.excludes(resourcePersistentVolumes) })},
		{Flag: HasPreBackupHooks, Evaluate: o.plan(func(p *Plan) bool { return p.hasHook("PreBackup") })},
		{Flag: HasPostBackupHooks, Evaluate: o.plan(func(p *Plan) bool { return p.hasHook("PostBackup") })},
		{Flag: HasPreRestoreHooks, Evaluate: o.plan(func(p *Plan) bool { return p.hasHook("PreRestore") })},
		{Flag: HasPostRestoreHooks, Evaluate: o.plan(func(p *Plan) bool { return p.hasHook("PostRestore") })},
		{Flag: StorageConversion, Evaluate: rule(o.storageConversion).evaluate},
		{Flag: LiveVmMigration, Evaluate: o.plan(func(p *Plan) bool { return p.Spec.LiveMigrate })},
		{Flag: RollingBack, Evaluate: o.migration(func(m *Migration) bool { return m.Spec.Rollback })},
	}
}

// migration and plan return the Evaluate functions of sources that depend on that
// object alone.
func (o Objects) migration(is func(*Migration) bool) func(context.Context, phases.Facts) (phases.Truth, error) {
	return rule(func(phases.Facts) evaluation { return o.migrationIs(is) }).evaluate
}

func (o Objects) plan(is func(*Plan) bool) func(context.Context, phases.Facts) (phases.Truth, error) {
	return rule(func(phases.Facts) evaluation { return o.planIs(is) }).evaluate
}

// missing returns the error for an object that is nil.
func (o Objects) missing(kind, role string, ref Ref) error {
	e := &MissingError{Kind: kind, Role: role, Object: ref}
	if o.Unread != nil {
		e.Err = o.Unread(kind, ref)
	}
	return e
}

func (m *Migration) hasStagePods() bool { return m.Status.Conditions.Has(conditionStagePodsCreated) }

// migrationIs and planIs evaluate a predicate of the object. The result is unknown
// if the object is missing.
func (o Objects) migrationIs(is func(*Migration) bool) evaluation {
	if o.Migration == nil {
		return evaluation{phases.Unknown, o.missing(KindMigration, "", Ref{})}
	}
	return evaluation{truth: phases.TruthOf(is(o.Migration))}
}

func (o Objects) planIs(is func(*Plan) bool) evaluation {
	if o.Plan == nil {
		return evaluation{phases.Unknown, o.missingPlan()}
	}
	return evaluation{truth: phases.TruthOf(is(o.Plan))}
}

func (o Objects) missingPlan() error {
	var ref Ref
	if o.Migration != nil {
		ref = o.Migration.Spec.PlanRef
	}
	return o.missing(KindPlan, "", ref)
}

func (o Objects) hasISs(ctx context.Context, _ phases.Facts) (phases.Truth, error) {
	if o.Plan == nil {
		return phases.Unknown, o.missingPlan()
	}
	namespaces := o.Plan.sourceNamespaces()
	if len(namespaces) == 0 {
		return phases.False, nil
	}
	if o.ImageStreams == nil {
		return phases.Unknown, &MissingError{Kind: KindImageStream, Err: errNoLister}
	}
	has, err := o.ImageStreams.HasImageStreams(ctx, namespaces)
	if err != nil {
		return phases.Unknown, err
	}
	return phases.TruthOf(has), nil
}

func (o Objects) directVolume(known phases.Facts) evaluation {
	return every(
		not(of(known, IndirectVolume)),
		o.planIs(func(p *Plan) bool { return p.someVolume(Volume.copiedDirectly) }),
	)
}

func (o Objects) hasStageBackup(known phases.Facts) evaluation {
	return every(
		not(of(known, StorageConversion)),
		some(
			every(of(known, HasISs), of(known, IndirectImage)),
			every(of(known, HasPVs), of(known, IndirectVolume)),
			o.planIs(func(p *Plan) bool { return p.someVolume(Volume.needsBackup) }),
		),
	)
}

func (o Objects) storageConversion(phases.Facts) evaluation {
	return every(
		o.migrationIs(func(m *Migration) bool { return m.Spec.MigrateState || m.Spec.Rollback }),
		o.planIs((*Plan).keepsNamespaces),
		o.sameCluster(),
	)
}

func (o Objects) enableImage(phases.Facts) evaluation {
	return every(
		o.migrationIs(func(m *Migration) bool { return !m.Spec.MigrateState }),
		o.planIs(func(p *Plan) bool { return !p.excludes(resourceImageStreams) }),
		o.planIs((*Plan).migratesImages),
		o.copiesImages(),
		not(o.sameCluster()),
	)
}

// copiesImages evaluates whether the controller copies images at all.
func (o Objects) copiesImages() evaluation {
	if o.Controller != nil {
		return evaluation{truth: phases.TruthOf(!o.Controller.Spec.DisableImageCopy)}
	}
	if o.Migration != nil {
		missing := &MissingError{Kind: KindController, Object: Ref{Namespace: o.Migration.Metadata.Namespace}}
		if o.Unread != nil {
			if missing.Err = o.Unread(missing.Kind, missing.Object); missing.Err != nil {
				return evaluation{phases.Unknown, missing}
			}
		}
	}
	return evaluation{truth: phases.TruthOf(!o.DisableImageCopy)}
}

// sameCluster evaluates whether source and destination are the same cluster: by
// reference, or because their URLs have the same host and port. Like upstream, it
// compares url.Host: the path does not matter, and a URL without a host, such as one
// without a scheme, equals the empty URL.
func (o Objects) sameCluster() evaluation {
	if o.Plan != nil && o.Plan.Spec.SourceRef.Name != "" && o.Plan.Spec.SourceRef == o.Plan.Spec.DestinationRef {
		return evaluation{truth: phases.True}
	}
	source, err := o.host(o.Source, "source", func(p *Plan) Ref { return p.Spec.SourceRef })
	if err != nil {
		return evaluation{phases.Unknown, err}
	}
	destination, err := o.host(o.Destination, "destination", func(p *Plan) Ref { return p.Spec.DestinationRef })
	if err != nil {
		return evaluation{phases.Unknown, err}
	}
	return evaluation{truth: phases.TruthOf(source == destination)}
}

// host returns the host and port in the URL of a cluster. ref returns the plan's
// reference to it.
func (o Objects) host(c *Cluster, role string, ref func(*Plan) Ref) (string, error) {
	switch {
	case c == nil && o.Plan == nil:
		return "", o.missingPlan() // since the plan would name the cluster
	case c == nil:
		return "", o.missing(KindCluster, role, ref(o.Plan))
	}
	u, err := url.Parse(c.Spec.URL)
	if err != nil {
		return "", &ClusterURLError{Cluster: c.Metadata, URL: c.Spec.URL, Err: err}
	}
	return u.Host, nil
}

// migratesImages reports whether the type of migration that upstream identified for
// the plan includes images. Without such a condition it does: runs recorded from
// upstream have images enabled then.
func (p *Plan) migratesImages() bool {
	return !slices.ContainsFunc(p.Status.Conditions, func(c Condition) bool {
		return c.counts(conditionMigrationType) && (c.Reason == reasonStateMigration || c.Reason == reasonStorageConversion)
	})
}

// sourceNamespaces returns the plan's namespaces on the source cluster, in order and
// without duplicates.
func (p *Plan) sourceNamespaces() []string {
	var names []string
	seen := make(map[string]bool)
	for _, n := range p.Spec.Namespaces {
		if source, _, _ := strings.Cut(n, ":"); !seen[source] {
			seen[source] = true
			names = append(names, source)
		}
	}
	return names
}

// keepsNamespaces reports whether every namespace keeps its name: "a" or
// "a:a".
func (p *Plan) keepsNamespaces() bool {
	return !slices.ContainsFunc(p.Spec.Namespaces, func(n string) bool {
		source, destination, mapped := strings.Cut(n, ":")
		return mapped && source != destination
	})
}

func (p *Plan) excludes(resource string) bool {
	return slices.Contains(p.Status.ExcludedResources, resource)
}

func (p *Plan) hasHook(phase string) bool {
	return slices.ContainsFunc(p.Spec.Hooks, func(h Hook) bool { return h.Phase == phase })
}

func (p *Plan) someVolume(is func(Volume) bool) bool { return slices.ContainsFunc(p.Spec.Volumes, is) }

// taken reports whether the volume is migrated at all. A volume without a choice is
// not skipped.
func (v Volume) taken() bool { return v.Selection.Action != actionSkip }

// copiedDirectly reports whether the volume is copied by a method that works without
// a backup.
func (v Volume) copiedDirectly() bool {
	return v.Selection.Action == actionCopy &&
		(v.Selection.CopyMethod == methodFilesystem || v.Selection.CopyMethod == methodBlock)
}

// needsBackup reports whether the volume needs a backup even if the plan copies
// volumes directly: it is moved, or copied by snapshot.
func (v Volume) needsBackup() bool {
	return v.Selection.Action == actionMove ||
		v.Selection.Action == actionCopy && v.Selection.CopyMethod == methodSnapshot
}
