using Microsoft.Extensions.Logging;
using Orderwright.Contracts;
using Orderwright.Runtime;

namespace Orderwright.SagaCoordinator;

/// <summary>
/// The heart of the coordinator: orders placed, cancellations and the participants' answers move their sagas
/// on. What a batch says of one saga is decided in order of arrival and saved once.
/// </summary>
/// <remarks>
/// Nothing is loaded that can be guessed. An order told of for the first time is new, and is inserted; a saga
/// that this instance advanced last is as it left it, and is updated. Where the insert finds a row, or the
/// update another version, the guess was wrong, nothing was written, and the saga is locked, loaded and
/// decided on again.
/// </remarks>
public sealed partial class AdvanceSagas(SagaStore store, SignsOfLife signs, ILogger<AdvanceSagas> log)
    : IBatchHandler
{
    readonly Recent<SagaRecord> recent = new(capacity: 5_000);

    public IReadOnlyList<Type> Takes { get; } =
        [typeof(OrderPlaced), typeof(CancelRequested), typeof(StepAnswered)];

    public async Task HandleAsync(IReadOnlyList<Message> batch, Work work)
    {
        var stories = batch.GroupBy(message => message.OrderId)
            .ToDictionary(story => story.Key, story => story.ToList());

        var guessed = await AdvanceGuessedAsync(stories, work);
        var open = stories.Keys.Where(id => !guessed.ContainsKey(id)).ToList();
        var loaded = await store.LockAsync([.. open.Where(id => !IsLikelyNew(stories[id][0]))], work);
        var unheard = open.Where(id => !loaded.ContainsKey(id)).ToList();
        var begun = await BeginAsync([.. unheard.Select(id => stories[id])], work);

        // What only looked new: an order told of twice, or begun by another instance a moment ago.
        var twice = await store.LockAsync([.. unheard.Where(id => !begun.ContainsKey(id))], work);
        foreach (var saga in twice) loaded.Add(saga.Key, saga.Value);
        var advanced = loaded.Values.Select(saga => Take(saga, stories[saga.OrderId], work)).ToList();
        await store.UpdateLockedAsync(advanced, work);

        List<SagaProgress> sagas = [.. guessed.Values, .. begun.Values, .. advanced];
        store.MoveTimers(sagas, work);
        foreach (var saga in sagas) saga.Send(work);
        signs.Hear(batch, work.Now);
        work.AfterCommit(() => sagas.ForEach(Remember));
        if (sagas.Count < stories.Count) LogUnknown(stories.Count - sagas.Count);
    }

    // A guess that leads to no change is confirmed by nothing: it does not count.
    async Task<Dictionary<Guid, SagaProgress>> AdvanceGuessedAsync(
        Dictionary<Guid, List<Message>> stories, Work work)
    {
        var guessed = stories.Keys.Select(recent.Find).OfType<SagaRecord>()
            .Select(saga => Take(saga, stories[saga.OrderId], work)).Where(saga => saga.Changed).ToList();
        var confirmed = await store.UpdateAsync(guessed, work);
        return guessed.Where(saga => confirmed.Contains(saga.OrderId)).ToDictionary(saga => saga.OrderId);
    }

    async Task<Dictionary<Guid, SagaProgress>> BeginAsync(IReadOnlyList<List<Message>> stories, Work work)
    {
        var begun = stories.Select(story => Begin(story, work.Now)).OfType<SagaProgress>().ToList();
        var inserted = await store.InsertAsync(begun, work);
        return begun.Where(saga => inserted.Contains(saga.OrderId)).ToDictionary(saga => saga.OrderId);
    }

    static bool IsLikelyNew(Message first) => first is { Body: OrderPlaced, Attempt: 1 };

    // An answer that stands before its order has nobody to hear it.
    static SagaProgress? Begin(List<Message> story, DateTimeOffset now)
    {
        var start = story.FindIndex(message => message.Body is OrderPlaced or CancelRequested);
        if (start < 0) return null;
        var saga = SagaProgress.Begin(story[start], now)!;
        foreach (var message in story.Skip(start)) saga.Take(message);
        return saga;
    }

    static SagaProgress Take(SagaRecord record, List<Message> story, Work work)
    {
        var saga = SagaProgress.Of(record, work.Now);
        foreach (var message in story) saga.Take(message);
        return saga;
    }

    // Of one that has ended there is little to hear.
    void Remember(SagaProgress saga)
    {
        if (saga.State.EndedAt is null) recent.Remember(saga.OrderId, saga.Record);
        else recent.Forget(saga.OrderId);
    }

    [LoggerMessage(3001, LogLevel.Warning, "Answers about {Count} orders without a saga were dropped")]
    partial void LogUnknown(int count);
}
