using Microsoft.Extensions.Logging;
using Orderwright.Contracts;
using Orderwright.Runtime;

namespace Orderwright.SagaCoordinator;

/// <summary>
/// The heart of the coordinator: orders placed, cancellations and the participants' answers move their sagas
/// on. What a batch says of one saga is decided in order of arrival and saved once. New orders cost an insert
/// and no look.
/// </summary>
public sealed partial class AdvanceSagas(SagaStore store, ILogger<AdvanceSagas> log) : IBatchHandler
{
    public IReadOnlyList<Type> Takes { get; } =
        [typeof(OrderPlaced), typeof(CancelRequested), typeof(StepAnswered)];

    public async Task HandleAsync(IReadOnlyList<Message> batch, Work work)
    {
        var stories = batch.GroupBy(message => message.OrderId)
            .ToDictionary(story => story.Key, story => story.ToList());
        var known = await store.LockAsync([.. stories.Keys.Where(id => !IsLikelyNew(stories[id][0]))], work);
        var begun = stories.Where(story => !known.ContainsKey(story.Key))
            .Select(story => Begin(story.Value, work.Now)).OfType<SagaProgress>().ToList();
        var inserted = await store.InsertAsync(begun, work);

        // What only looked new: an order told of twice, or begun by another instance a moment ago.
        var twice = begun.Select(saga => saga.OrderId).Where(id => !inserted.Contains(id)).ToList();
        foreach (var saga in await store.LockAsync(twice, work)) known.Add(saga.Key, saga.Value);

        var advanced = known.Values
            .Select(saga => Take(SagaProgress.Of(saga, work.Now), stories[saga.OrderId])).ToList();
        await store.UpdateAsync(advanced, work);

        List<SagaProgress> sagas = [.. begun.Where(saga => inserted.Contains(saga.OrderId)), .. advanced];
        await store.MoveTimersAsync(sagas, work);
        foreach (var saga in sagas) saga.Send(work);
        if (sagas.Count < stories.Count) LogUnknown(stories.Count - sagas.Count);
    }

    // The first time an order is told of, it is new, but for a duplicate: it is inserted without a look.
    static bool IsLikelyNew(Message first) => first is { Body: OrderPlaced, Attempt: 1 };

    // An answer that came before anything else of its batch has nobody to hear it.
    static SagaProgress? Begin(List<Message> story, DateTimeOffset now)
    {
        var start = story.FindIndex(message => message.Body is OrderPlaced or CancelRequested);
        return start < 0 ? null : Take(SagaProgress.Begin(story[start], now)!, story.Skip(start));
    }

    static SagaProgress Take(SagaProgress saga, IEnumerable<Message> story)
    {
        foreach (var message in story) saga.Take(message);
        return saga;
    }

    [LoggerMessage(3001, LogLevel.Warning, "Answers about {Count} orders without a saga were dropped")]
    partial void LogUnknown(int count);
}
