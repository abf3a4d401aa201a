using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using Orderwright.Http;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;
using Orderwright.Sagas;

namespace Orderwright.SagaCoordinator.Process;

/// <summary>Process as stored.</summary>
/// <param name="FirstRunAt">Time of the first start with this version.</param>
public sealed record StoredProcess(int Version, string Hash, string Json, DateTimeOffset FirstRunAt);

/// <summary>Open orders of a version at a step.</summary>
/// <param name="Version">Version of the process.</param>
/// <param name="Step">Current step, or the step that caused the rollback.</param>
/// <param name="Count">Number of orders.</param>
/// <param name="OldestAt">Start of the oldest saga.</param>
public sealed record CensusLine(int Version, string? Step, long Count, DateTimeOffset OldestAt);

/// <summary>
/// The process of new orders, and every version that an order may still run on. Versions are stored when a coordinator starts
/// with them and are read from memory afterwards: an order costs no further read.
/// </summary>
public sealed class ProcessVersions
{
    const int CountedAtMost = 20_000;

    // Versions that another instance has started with since.
    static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    readonly ServiceContext context;
    readonly Func<string, string?> faultOf;
    FrozenDictionary<int, ProcessFile> known;

    /// <param name="current">Process of new orders.</param>
    /// <param name="faultOf">Reason why the participant of a step cannot be called; null if it can.</param>
    /// <param name="context">Environment.</param>
    public ProcessVersions(ProcessFile current, Func<string, string?> faultOf, ServiceContext context)
    {
        (CurrentFile, this.faultOf, this.context) = (current, faultOf, context);
        known = new[] { OrderSaga.BuiltIn, current }.DistinctBy(file => file.Definition.Version)
            .ToFrozenDictionary(file => file.Definition.Version);
    }

    public ProcessFile CurrentFile { get; }

    /// <summary>Process of new orders.</summary>
    public SagaDefinition Current => CurrentFile.Definition;

    /// <summary>Names of the steps of all versions.</summary>
    public IEnumerable<string> StepNames =>
        known.Values.SelectMany(file => file.Definition.Steps).Select(step => step.Name).Distinct();

    /// <summary>True for a step whose participant is called, in any version.</summary>
    public bool IsCalled(string step) => known.Values.Any(file => file.Definition.Find(step)?.Endpoint is not null);

    /// <summary>Definition of a version. Throws <see cref="UnknownVersionException"/>.</summary>
    public SagaDefinition Find(int version) =>
        known.TryGetValue(version, out var file) ? file.Definition : throw new UnknownVersionException(version);

    /// <summary>Definition of a version in digits; without a text, of new orders.</summary>
    public bool TryFind(string? version, [NotNullWhen(true)] out SagaDefinition? definition)
    {
        definition = version is null ? Current
            : int.TryParse(version, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                ? known.GetValueOrDefault(number)?.Definition
                : null;
        return definition is not null;
    }

    /// <summary>Reads a row with the columns <c>saga</c> of <c>sagas.sql</c>.</summary>
    public SagaRecord Read(IRow row) => SagaColumns.Read(row, Find);

    /// <summary>
    /// Stores the current version. Throws <see cref="InvalidSettingException"/> if the version was stored with other content, or
    /// if an order in flight could not finish here.
    /// </summary>
    public async Task StartAsync(CancellationToken cancel)
    {
        var version = Current.Version;
        var stored = await LoadAsync(cancel);
        if (!stored.ContainsKey(version))
        {
            await context.Runner.RunOnceAsync(
                work => work.ExecuteAsync(
                    context.Sql["insert_process_version"],
                    SqlArgs.With("version", version).And("hash", CurrentFile.Hash).And("definition", CurrentFile.Json)
                        .And("now", work.Now)),
                cancel);
            // Another instance may have been first, with another file.
            stored = await LoadAsync(cancel);
        }
        if (stored[version].Hash != CurrentFile.Hash)
            throw new InvalidSettingException(
                $"ORDERWRIGHT_PROCESS has changed under version {version}, which was first run at "
                + $"{stored[version].FirstRunAt:u}: give the changed process a new version.")
            {
                Setting = nameof(ProcessSettings.Process),
            };
        var inFlight = await context.Database.QueryAsync(
            context.Sql["versions_in_flight"], SqlArgs.None, row => row.Int("definition_version"), cancel);
        foreach (var used in inFlight.Append(version).Distinct()) CheckCarries(used, stored);
    }

    public TimedJob Job => new("load-process-versions", Interval, async (work, _) =>
    {
        Learn(await work.QueryAsync(context.Sql["process_versions"], SqlArgs.None, ReadStored));
        return 0;
    });

    /// <summary>Runs a read, and runs it once more if it meets a version that another instance has stored meanwhile.</summary>
    public async Task<T> ReadAsync<T>(Func<Task<T>> read)
    {
        try
        {
            return await read();
        }
        catch (UnknownVersionException)
        {
            await LoadAsync(CancellationToken.None);
            return await read();
        }
    }

    public Task<List<CensusLine>> CensusAsync(ChannelSet channels, CancellationToken cancel) => context.Database.QueryAsync(
        context.Sql["process_census"], SqlArgs.With("channels", channels.Filter).And("cap", CountedAtMost),
        row => new CensusLine(
            row.Int("definition_version"), row.TextOrNull("step"), row.BigInt("sagas"), row.Time("oldest_at")),
        cancel);

    async Task<IReadOnlyDictionary<int, StoredProcess>> LoadAsync(CancellationToken cancel)
    {
        var stored = await context.Database.QueryAsync(
            context.Sql["process_versions"], SqlArgs.None, ReadStored, cancel);
        Learn(stored);
        return stored.ToDictionary(process => process.Version);
    }

    // Versions that this build cannot read stay unknown: their orders wait, and a start with such orders is refused.
    void Learn(List<StoredProcess> stored)
    {
        if (stored.Exists(process => !known.ContainsKey(process.Version)))
            known = stored.Where(process => !known.ContainsKey(process.Version))
                .Select(process => ProcessFile.Parse(Encoding.UTF8.GetBytes(process.Json)).File)
                .OfType<ProcessFile>().Concat(known.Values)
                .ToFrozenDictionary(file => file.Definition.Version);
    }

    static StoredProcess ReadStored(IRow row) =>
        new(row.Int("version"), row.Text("hash"), row.Text("definition"), row.Time("first_run_at"));

    void CheckCarries(int version, IReadOnlyDictionary<int, StoredProcess> stored)
    {
        if (!known.TryGetValue(version, out var file))
            throw new InvalidSettingException(
                stored.ContainsKey(version)
                    ? $"Orders in flight run on version {version} of the process, which this build cannot read: start the build "
                        + "that began them, or a newer one."
                    : $"Orders in flight run on version {version} of the process, which this database does not contain: restore "
                        + "the table process_versions, or start with the file of that version.");
        foreach (var step in file.CalledSteps)
            if (faultOf(step.Name) is { } fault)
                throw new InvalidSettingException(
                    version == Current.Version ? fault
                    : $"Orders in flight run on version {version} of the process, and its step {step.Name} cannot be carried "
                        + $"out. {fault}");
    }
}

/// <summary>A saga runs on a version of the process that this instance does not know.</summary>
public sealed class UnknownVersionException(int version)
    : Exception($"Version {version} of the process is unknown to this instance.");
