package mtc

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"github.com/konveyor/dynamic-pipeline/phases"
)

// Objects are the objects that the flags of one migration are found from. Any
// of them may be nil: what was not read is not absent, so that flags which
// depend on it are unknown, with a [*MissingError]. They must not be changed
// while their [Sources] are in use.
type Objects struct {
	Migration *Migration
	// Plan is what the migration's migPlanRef names.
	Plan *Plan
	// Source and Destination are what the plan's srcMigClusterRef and
	// destMigClusterRef name. If both names are the same, neither is needed.
	Source, Destination *Cluster
	// Controller is the MigrationController of the migration's namespace. If
	// nil, DisableImageCopy counts, as the setting of the controller that this
	// is part of.
	Controller       *Controller
	DisableImageCopy bool
	// ImageStreams looks for image streams on the source cluster.
	ImageStreams ImageStreams
	// Unread returns why an object that is nil above was not read, such as a
	// text that is broken, and nil if nothing that was read has it. It is
	// called with the kind and the name under which another object refers to
	// it; for the Controller with a namespace alone, and an error means that
	// there is one. It may be called by several goroutines at once. If nil, it
	// is not evaluated.
	Unread func(kind string, ref Ref) error
}

// ImageStreams looks for image streams on the source cluster of a migration.
// It is the one question of MTC's flags that leaves the process, and may take
// seconds; it is put only if the other flags do not settle the answer.
type ImageStreams interface {
	// HasImageStreams reports whether at least one of the namespaces, which
	// are names on the source cluster, holds an ImageStream. It returns once
	// ctx is done. An error means that it is not known; the question will be
	// put again another time.
	HasImageStreams(ctx context.Context, namespaces []string) (bool, error)
}

// ImageStreamsFunc makes [ImageStreams] of a function.
type ImageStreamsFunc func(ctx context.Context, namespaces []string) (bool, error)

// HasImageStreams calls f.
func (f ImageStreamsFunc) HasImageStreams(ctx context.Context, namespaces []string) (bool, error) {
	return f(ctx, namespaces)
}

// ReadImageStreams answers from objects that have been read already. Its zero
// value is that none was read, which does not mean that there are none. It is
// safe for concurrent use as long as its maps are not changed.
type ReadImageStreams struct {
	// Namespaces are those in which an ImageStream was read.
	Namespaces map[string]bool
	// Unread are the namespaces of which an ImageStream is there or may be
	// there that was not read, with the reason. The empty namespace stands for
	// all: an input that could not be read to its end.
	Unread map[string]error
	// Complete reports that there are no image streams but those of Namespaces
	// and Unread, although Namespaces may be empty.
	Complete bool
}

// HasImageStreams reports whether one of the namespaces holds an ImageStream.
// If none was read there, the error is a [*MissingError] if one of them is
// among Unread, or if there is no ImageStream in any namespace and the list is
// not known to be complete.
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

// Sources returns how each of the 19 flags of [Vocabulary] is found in the objects:
// the table of the design, section 5. Only HasISs is slow. DirectVolume and
// HasStageBackup are computed from other flags; they, StorageConversion and
// EnableImage are known as soon as what is known settles them, even if an
// object is missing or a URL cannot be parsed.
//
// Each override takes the place of the source of its flag. The values that it
// returns must keep the relations of the vocabulary: who overrides DirectImage
// also overrides IndirectImage. Overrides that [phases.NewSources] refuses are
// a [*phases.SourceError]; without overrides the error is nil.
//
// What cannot be known is an error of its flag: a [*MissingError], a
// [*ClusterURLError], or what ImageStreams returned. The sources are safe for
// concurrent use as far as ImageStreams and the overrides are.
func Sources(o Objects, overrides ...phases.Source) (*phases.Sources, error) {
	return o.sources(vocabulary, overrides)
}

// sources are the overrides and, of all other flags of MTC, the sources of the
// table.
func (o Objects) sources(v *phases.Vocabulary, overrides []phases.Source) (*phases.Sources, error) {
	sources := slices.Clone(overrides) // first, since errors number them
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

// table has a source for each of MTC's flags.
func (o Objects) table() []phases.Source {
	return []phases.Source{
		{Flag: Quiesce, Evaluate: o.migration(func(m *Migration) bool { return m.Spec.QuiescePods })},
		{Flag: HasStagePods, Evaluate: o.migration(func(m *Migration) bool { return m.Status.Conditions.Has(conditionStagePodsCreated) })},
		{Flag: HasPVs, Evaluate: o.plan(func(p *Plan) bool { return p.someVolume(Volume.taken) })},
		{Flag: HasVerify, Evaluate: o.migration(func(m *Migration) bool { return m.Spec.Verify })},
		{Flag: HasISs, Slow: true, Evaluate: o.hasISs},
		{Flag: DirectImage, Evaluate: o.plan(func(p *Plan) bool { return !p.Spec.IndirectImage })},
		{Flag: IndirectImage, Evaluate: o.plan(func(p *Plan) bool { return p.Spec.IndirectImage })},
		{Flag: DirectVolume, Inputs: IndirectVolume, Evaluate: rule(o.directVolume).evaluate},
		{Flag: IndirectVolume, Evaluate: o.plan(func(p *Plan) bool { return p.Spec.IndirectVolume })},
		{Flag: HasStageBackup, Inputs: HasISs | IndirectImage | HasPVs | IndirectVolume | StorageConversion, Evaluate: rule(o.hasStageBackup).evaluate},
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

// migration and plan make sources that look at that object alone.
func (o Objects) migration(is func(*Migration) bool) func(context.Context, phases.Facts) (phases.Truth, error) {
	return rule(func(phases.Facts) evaluation { return o.migrationSays(is) }).evaluate
}

func (o Objects) plan(is func(*Plan) bool) func(context.Context, phases.Facts) (phases.Truth, error) {
	return rule(func(phases.Facts) evaluation { return o.planSays(is) }).evaluate
}

// missing is the error of an object that is nil.
func (o Objects) missing(kind, role string, ref Ref) error {
	e := &MissingError{Kind: kind, Role: role, Object: ref}
	if o.Unread != nil {
		e.Err = o.Unread(kind, ref)
	}
	return e
}

// migrationSays and planSays are answered by the object, or unknown if it is
// missing.
func (o Objects) migrationSays(is func(*Migration) bool) evaluation {
	if o.Migration == nil {
		return evaluation{phases.Unknown, o.missing(KindMigration, "", Ref{})}
	}
	return evaluation{truth: phases.TruthOf(is(o.Migration))}
}

func (o Objects) planSays(is func(*Plan) bool) evaluation {
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
		o.planSays(func(p *Plan) bool { return p.someVolume(Volume.copiedDirectly) }),
	)
}

func (o Objects) hasStageBackup(known phases.Facts) evaluation {
	return every(
		not(of(known, StorageConversion)),
		some(
			every(of(known, HasISs), of(known, IndirectImage)),
			every(of(known, HasPVs), of(known, IndirectVolume)),
			o.planSays(func(p *Plan) bool { return p.someVolume(Volume.needsBackup) }),
		),
	)
}

func (o Objects) storageConversion(phases.Facts) evaluation {
	return every(
		o.migrationSays(func(m *Migration) bool { return m.Spec.MigrateState || m.Spec.Rollback }),
		o.planSays((*Plan).keepsNamespaces),
		o.sameCluster(),
	)
}

func (o Objects) enableImage(phases.Facts) evaluation {
	return every(
		o.migrationSays(func(m *Migration) bool { return !m.Spec.MigrateState }),
		o.planSays(func(p *Plan) bool { return !p.excludes(resourceImageStreams) }),
		o.planSays((*Plan).migratesImages),
		o.copiesImages(),
		not(o.sameCluster()),
	)
}

// copiesImages reports whether the controller copies images at all.
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

// sameCluster reports whether the two clusters are one: by name, or because
// their URLs have the same host and port. Upstream compares url.Host, so that
// another path makes no other cluster, and a URL without a host, such as one
// without a scheme, equals the empty one.
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

// host is the host and port in the URL of a cluster, which ref names in the
// plan.
func (o Objects) host(c *Cluster, role string, ref func(*Plan) Ref) (string, error) {
	switch {
	case c == nil && o.Plan == nil:
		return "", o.missingPlan() // which would name the cluster
	case c == nil:
		return "", o.missing(KindCluster, role, ref(o.Plan))
	}
	u, err := url.Parse(c.Spec.URL)
	if err != nil {
		return "", &ClusterURLError{Cluster: c.Metadata, URL: c.Spec.URL, Err: err}
	}
	return u.Host, nil
}

// migratesImages reports whether the kind of migration that upstream found the
// plan to be takes images along. A plan that has no such condition does: the
// runs recorded from upstream have images enabled then.
func (p *Plan) migratesImages() bool {
	return !slices.ContainsFunc(p.Status.Conditions, func(c Condition) bool {
		return c.counts(conditionMigrationType) && (c.Reason == reasonStateMigration || c.Reason == reasonStorageConversion)
	})
}

// sourceNamespaces are the plan's namespaces as the source cluster names them,
// in order, each once.
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

// taken reports whether the volume is migrated at all. A volume for which
// nothing is chosen yet is not skipped.
func (v Volume) taken() bool { return v.Selection.Action != actionSkip }

// copiedDirectly reports whether the volume is copied in a way that also works
// without a backup.
func (v Volume) copiedDirectly() bool {
	return v.Selection.Action == actionCopy &&
		(v.Selection.CopyMethod == methodFilesystem || v.Selection.CopyMethod == methodBlock)
}

// needsBackup reports whether the volume goes by a backup whatever the plan
// says of volumes in general: it is moved, or it is copied by snapshot.
func (v Volume) needsBackup() bool {
	return v.Selection.Action == actionMove ||
		v.Selection.Action == actionCopy && v.Selection.CopyMethod == methodSnapshot
}
