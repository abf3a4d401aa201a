using Microsoft.Extensions.Logging;
using Orderwright.Runtime;

namespace Orderwright.SagaCoordinator;

/// <summary>
/// What this instance knows of sagas under way. Most of it their rows say, too; some sagas have gone a step or two beyond
/// their rows, and are saved a moment later (<see cref="SaveProgress"/>) or with their end. All of it may be forgotten at any
/// time: the row says what is to be asked again, and whoever is asked again answers the same (docs/adr/0019).
/// </summary>
/// <remarks>
/// Running ahead pays while the answers come to who asked. With a second instance they come to either, and the one that did
/// not ask would find a row that is behind: then every step is saved, until a minute has passed without a sign of others.
/// </remarks>
public sealed partial class SagaMemory(SagaLimits limits, ILogger<SagaMemory> log)
{
    /// <summary>How long others count as being there after the last sign of them.</summary>
    public static readonly TimeSpan CompanyLasts = TimeSpan.FromMinutes(1);

    const int Remembered = 5_000;
    const int MostAhead = 5_000;

    readonly Recent<KnownSaga> saved = new(Remembered);
    readonly Dictionary<Guid, (KnownSaga Saga, DateTimeOffset Since)> ahead = [];
    readonly Lock gate = new();
    DateTimeOffset? company;

    /// <summary>Null where nothing is known but, maybe, a row.</summary>
    public KnownSaga? Find(Guid orderId)
    {
        lock (gate) return ahead.TryGetValue(orderId, out var one) ? one.Saga : saved.Find(orderId);
    }

    /// <summary>What is known beyond a row, where it still is the row that this instance wrote; else the row.</summary>
    public KnownSaga Complete(SagaRecord row)
    {
        lock (gate)
            return ahead.TryGetValue(row.OrderId, out var one) && one.Saga.RowVersion == row.State.Version
                ? one.Saga
                : KnownSaga.AsStored(row);
    }

    /// <summary>
    /// Whether steps may be saved later: nobody else seems to advance sagas, and not too many wait to be saved.
    /// </summary>
    public bool IsAlone(DateTimeOffset now)
    {
        lock (gate)
            return limits.SaveWithin > TimeSpan.Zero && ahead.Count < MostAhead
                && !(company is { } seen && (now - seen).Duration() < CompanyLasts);
    }

    /// <summary>Another instance advances sagas, too.</summary>
    public void NoticeCompany(DateTimeOffset now)
    {
        lock (gate)
        {
            if (company is null) LogCompany(CompanyLasts);
            company = now;
        }
    }

    /// <summary>How it stands after a commit. Of one that has ended there is little to hear.</summary>
    public void Remember(SagaProgress saga, bool isSaved, DateTimeOffset now)
    {
        var known = saga.Known(isSaved);
        lock (gate)
        {
            if (known.IsAhead)
            {
                var since = ahead.TryGetValue(saga.OrderId, out var one) ? one.Since : now;
                ahead[saga.OrderId] = (known, since);
                return;
            }
            ahead.Remove(saga.OrderId);
            if (saga.State.EndedAt is null) saved.Remember(saga.OrderId, known);
            else saved.Forget(saga.OrderId);
        }
    }

    /// <summary>The row is not as it was known: nothing is, then.</summary>
    public void Forget(Guid orderId)
    {
        lock (gate)
        {
            ahead.Remove(orderId);
            saved.Forget(orderId);
        }
    }

    /// <summary>Those that have been ahead for long enough.</summary>
    public IReadOnlyList<KnownSaga> LongAhead(DateTimeOffset now, int most)
    {
        lock (gate)
            return
            [
                .. ahead.Values.Where(one => (now - one.Since).Duration() >= limits.SaveWithin).Take(most)
                    .Select(one => one.Saga),
            ];
    }

    /// <summary>It was saved as it was known then; it may have gone on meanwhile.</summary>
    public void Saved(SagaProgress saga, DateTimeOffset now)
    {
        lock (gate)
        {
            if (!ahead.TryGetValue(saga.OrderId, out var one) || one.Saga.RowVersion != saga.VersionBefore) return;
            var row = saga.Known(saved: true);
            if (one.Saga.Saga.State.Version == row.RowVersion)
            {
                ahead.Remove(saga.OrderId);
                saved.Remember(saga.OrderId, row);
                return;
            }
            var factsUnsaved = !ReferenceEquals(one.Saga.Saga.Facts, saga.Facts);
            ahead[saga.OrderId] = (row with { Saga = one.Saga.Saga, FactsUnsaved = factsUnsaved }, now);
        }
    }

    [LoggerMessage(3010, LogLevel.Information,
        "Another instance advances sagas, too: every step is saved until there is no sign of it for {Time}")]
    partial void LogCompany(TimeSpan time);
}
