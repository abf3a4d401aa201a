using Microsoft.Extensions.Logging;
using Orderwright.Contracts;
using Orderwright.Runtime;
using Orderwright.Sagas;

namespace Orderwright.SagaCoordinator;

/// <summary>
/// The heart of the coordinator: orders placed, cancellations and the participants' answers move their sagas
/// on. What a batch says of one saga is decided in order of arrival and saved once.
/// </summary>
/// <remarks>
/// Nothing is loaded that can be guessed. An order told of for the first time is new, and is inserted; a saga
/// that this instance advanced last is as it left it, and is updated. Where the insert finds a row, or the
/// update another version, the guess was wrong, nothing was written, and the saga is locked, loaded and
/// decided on again. And a step that goes well may be saved later: see <see cref="SagaMemory"/>.
/// </remarks>
public sealed partial class AdvanceSagas(
    SagaStore store, SagaMemory memory, SignsOfLife signs, ILogger<AdvanceSagas> log)
    : IBatchHandler
{
    // What was asked so recently would still be remembered, had this instance asked it.
    static readonly TimeSpan JustNow = TimeSpan.FromSeconds(10);

    public IReadOnlyList<Type> Takes { get; } =
        [typeof(OrderPlaced), typeof(CancelRequested), typeof(StepAnswered)];

    public async Task HandleAsync(IReadOnlyList<Message> batch, Work work)
    {
        var stories = batch.GroupBy(message => message.OrderId)
            .ToDictionary(story => story.Key, story => story.ToList());
        var alone = memory.IsAlone(work.Now);

        var (known, later, guessed, anyWrong) = await AdvanceGuessedAsync(stories, alone, work);
        var open = stories.Keys.Where(id => !later.ContainsKey(id) && !guessed.ContainsKey(id)).ToList();
        var loaded = await store.LockAsync([.. open.Where(id => !IsLikelyNew(stories[id][0]))], work);
        var foreign = loaded.Values.Any(saga => !known.Contains(saga.Saga.OrderId) && IsForeign(saga, stories, work.Now));
        var unheard = open.Where(id => !loaded.ContainsKey(id)).ToList();
        var begun = await BeginAsync([.. unheard.Select(id => stories[id])], alone, work);

        // What only looked new: an order told of twice, or begun by another instance a moment ago.
        var twice = await store.LockAsync([.. unheard.Where(id => !begun.ContainsKey(id))], work);
        foreach (var saga in twice) loaded.Add(saga.Key, saga.Value);
        var advanced = loaded.Values.Select(saga => Take(saga, stories[saga.Saga.OrderId], alone, work)).ToList();
        await store.UpdateLockedAsync(advanced, work);

        List<SagaProgress> saved = [.. guessed.Values, .. begun.Values, .. advanced];
        store.MoveTimers(saved, work);
        foreach (var saga in later.Values) saga.Send(work);
        foreach (var saga in saved) saga.Send(work);
        signs.Hear(batch, work.Now);
        work.AfterCommit(() =>
        {
            if (foreign || anyWrong || later.Values.Concat(saved).Any(saga => saga.WasOvertaken)) memory.NoticeCompany(work.Now);
            foreach (var saga in later.Values) memory.Remember(saga, isSaved: false, work.Now);
            foreach (var saga in saved) memory.Remember(saga, isSaved: saga.Changed, work.Now);
        });
        var unknown = stories.Count - later.Count - saved.Count;
        if (unknown > 0) LogUnknown(unknown);
    }

    // A guess that leads to no change is confirmed by nothing: it does not count, unless nothing could confirm it, as the
    // saga is ahead of its row. What is wrong then is found out when it is saved.
    async Task<(
            HashSet<Guid> Known, Dictionary<Guid, SagaProgress> Later, Dictionary<Guid, SagaProgress> Saved, bool AnyWrong)>
        AdvanceGuessedAsync(Dictionary<Guid, List<Message>> stories, bool alone, Work work)
    {
        var taken = new HashSet<Guid>();
        var later = new Dictionary<Guid, SagaProgress>();
        var guessed = new List<SagaProgress>();
        foreach (var (orderId, story) in stories)
        {
            if (memory.Take(orderId) is not { } known) continue;
            taken.Add(orderId);
            var saga = Take(known, story, alone, work);
            if (saga.Changed ? saga.MaySaveLater : known.IsAhead) later.Add(orderId, saga);
            else if (saga.Changed) guessed.Add(saga);
        }
        var confirmed = await store.UpdateAsync(guessed, work);
        return (
            taken, later, guessed.Where(saga => confirmed.Contains(saga.OrderId)).ToDictionary(saga => saga.OrderId),
            confirmed.Count < guessed.Count);
    }

    async Task<Dictionary<Guid, SagaProgress>> BeginAsync(IReadOnlyList<List<Message>> stories, bool alone, Work work)
    {
        var begun = stories.Select(story => Begin(story, alone, work.Now)).OfType<SagaProgress>().ToList();
        var inserted = await store.InsertAsync(begun, work);
        return begun.Where(saga => inserted.Contains(saga.OrderId)).ToDictionary(saga => saga.OrderId);
    }

    static bool IsLikelyNew(Message first) => first is { Body: OrderPlaced, Attempt: 1 };

    // An answer that stands before its order has nobody to hear it.
    static SagaProgress? Begin(List<Message> story, bool alone, DateTimeOffset now)
    {
        var start = story.FindIndex(message => message.Body is OrderPlaced or CancelRequested);
        if (start < 0) return null;
        var saga = SagaProgress.Begin(story[start], now, alone)!;
        foreach (var message in story.Skip(start)) saga.Take(message);
        return saga;
    }

    static SagaProgress Take(KnownSaga known, List<Message> story, bool alone, Work work)
    {
        var saga = SagaProgress.Of(known, work.Now, alone);
        foreach (var message in story) saga.Take(message);
        return saga;
    }

    // An answer to what another instance has asked.
    static bool IsForeign(KnownSaga loaded, Dictionary<Guid, List<Message>> stories, DateTimeOffset now) =>
        loaded.Saga is { OrderId: var id, State: { Status: SagaStatus.Running } state }
        && stories[id].Exists(message => message.Body is StepAnswered)
        && state.Outstanding.Any(asked => asked.Leg.FirstSentAt > now - JustNow);

    [LoggerMessage(3001, LogLevel.Warning, "Answers about {Count} orders without a saga were dropped")]
    partial void LogUnknown(int count);
}
