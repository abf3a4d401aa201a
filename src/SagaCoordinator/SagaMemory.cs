using Microsoft.Extensions.Logging;
using Orderwright.Runtime;

namespace Orderwright.SagaCoordinator;

/// <summary>
/// What this instance knows of sagas under way. Most of it their rows say, too; where <see cref="SagaLimits.SaveWithin"/> allows
/// it, some have gone a step or two beyond their rows, and are saved a moment later (<see cref="SaveProgress"/>) or with their
/// end. All of it may be forgotten at any time, as by a transaction that fails: the row says what is to be asked again, and
/// whoever is asked again answers the same (docs/adr/0019).
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

    readonly RowCache<KnownSaga> saved = new(Remembered);
    readonly Dictionary<Guid, (KnownSaga Saga, DateTimeOffset Since)> ahead = [];
    readonly Lock gate = new();
    DateTimeOffset? company;

    /// <summary>
    /// What is known of it, for the one who asks alone: until they say how it stands, others find nothing but its row, which
    /// makes them unsure. Else two could go on from the same knowledge, one without the other knowing. Null where nothing is
    /// known but, maybe, a row.
    /// </summary>
    public KnownSaga? Take(Guid orderId)
    {
        lock (gate)
        {
            var known = ahead.Remove(orderId, out var one) ? one.Saga : saved.Find(orderId);
            saved.Forget(orderId);
            return known;
        }
    }

    /// <summary>The same, of a saga whose row is locked: the row, where it is no longer as this instance wrote it.</summary>
    public KnownSaga Take(SagaRecord row) =>
        Take(row.OrderId) is { } known && known.RowVersion == row.State.Version ? known : KnownSaga.AsStored(row);

    /// <summary>To show it: what is known beyond a row that still is as this instance wrote it; else the row.</summary>
    public KnownSaga LookBeyond(SagaRecord row)
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
                ahead[saga.OrderId] = (known, now);
                return;
            }
            ahead.Remove(saga.OrderId);
            if (saga.State.EndedAt is null) saved.Remember(saga.OrderId, known);
            else saved.Forget(saga.OrderId);
        }
    }

    /// <summary>Takes those that have been ahead, and have gone no further, for long enough.</summary>
    public IReadOnlyList<KnownSaga> TakeLongAhead(DateTimeOffset now, int most)
    {
        lock (gate)
        {
            List<KnownSaga> late =
            [
                .. ahead.Values.Where(one => (now - one.Since).Duration() >= limits.SaveWithin).Take(most)
                    .Select(one => one.Saga),
            ];
            foreach (var known in late) ahead.Remove(known.Saga.OrderId);
            return late;
        }
    }

    [LoggerMessage(3010, LogLevel.Information,
        "Another instance advances sagas, too: every step is saved until there is no sign of it for {Time}")]
    partial void LogCompany(TimeSpan time);
}
