using System.Collections.Concurrent;
using System.Diagnostics;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Orderwright.CustomerService.Payments;
using Orderwright.Http.Outgoing;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;

namespace Orderwright.CustomerService.Calling;

/// <summary>
/// Sends requests to gateways, outside any transaction and after the intent was committed. The stored attempt is the
/// source of truth: after a crash the attempt is taken up again when the lease ends, and looked up before anything is
/// repeated. A request occupies a slot in the provider's lane, and no thread.
/// </summary>
public sealed partial class GatewayCalls
{
    sealed record QueuedTask(Lane Lane, GatewayRequest Request, GatewayTask Task);

    sealed record Lane(IPaymentProvider Provider, Channel<QueuedTask> Queue, SemaphoreSlim Slots, Breaker Breaker);

    readonly Dictionary<string, Lane> lanes;
    readonly IReadOnlyList<PaymentRoute> routes;
    readonly PaymentStore store;
    readonly SqlCatalog sql;
    readonly GatewayLimits limits;
    readonly TimeProvider time;
    readonly WallClock clock;
    readonly ILogger log;
    readonly GroupCommit<AttemptResult, bool> results;

    // Attempts queued or running in the process; a lease may end meanwhile.
    readonly ConcurrentDictionary<string, GatewayTask> inHand = new();

    public GatewayCalls(
        IReadOnlyDictionary<string, IPaymentProvider> providers, IReadOnlyList<PaymentRoute> routes, PaymentStore store,
        GatewayLimits limits, NotifyOrders orders, ServiceContext context)
    {
        this.routes = routes;
        this.store = store;
        this.limits = limits;
        sql = context.Sql;
        time = context.Time;
        clock = context.Runner.Clock;
        log = context.Logs.CreateLogger<GatewayCalls>();
        lanes = providers.ToDictionary(
            pair => pair.Key,
            pair => new Lane(
                pair.Value, Channel.CreateBounded<QueuedTask>(limits.GatewayMaxWaiting),
                new SemaphoreSlim(limits.GatewayMaxInFlight), new Breaker(limits.GatewayBreakAfter, limits.GatewayRetryBudget)));
        Results = new ApplyGatewayResults(store, providers, limits, routes, Down, orders, log, Take);
        // What a gateway has done is recorded whatever the state of the database.
        results = new(
            "apply-gateway-results", Results.HandleAsync, context.Runner, context.Options, context.Time, Passage.Repairs);
    }

    /// <summary>Handler of results, also for webhooks, in separate transactions.</summary>
    public ApplyGatewayResults Results { get; }

    public IReadOnlyList<BackgroundLoop> Loops =>
    [
        results.Loop,
        .. lanes.Select(pair => new BackgroundLoop($"gateway-{pair.Key}", cancel => RunAsync(pair.Value, cancel))),
    ];

    /// <summary>Names of all gateways.</summary>
    public IReadOnlyCollection<string> Gateways => lanes.Keys;

    /// <summary>Gateways with an open circuit breaker in the process.</summary>
    public IReadOnlySet<string> Down() =>
        lanes.Where(pair => pair.Value.Breaker.IsOpen).Select(pair => pair.Key).ToHashSet();

    public TimedJob Job => new("take-due-attempts", null, TakeDueAsync);

    /// <summary>Queues a committed attempt. When the queue is full, the attempt waits in the database.</summary>
    public void Take(PaymentCase paymentCase, GatewayTask task)
    {
        var payment = paymentCase.Payment!;
        var attempt = task.Attempt;
        var provider = attempt.Provider ?? payment.Provider!;
        if (!lanes.TryGetValue(provider, out var lane))
        {
            LogNoProvider(provider, paymentCase.OrderId);
            return;
        }
        if (!inHand.TryAdd(attempt.Key, task)) return;
        var request = new GatewayRequest(
            // A recovery asks for the first attempt of the lost ones, where the gateway looks up by key.
            attempt.IsRecovery ? PaymentAttempt.KeyOf(attempt.OrderId, attempt.Operation, 1) : attempt.Key,
            attempt.OrderId, attempt.Operation, attempt.AmountMinor, payment.Currency!,
            payment.Route is null ? payment.Token : RoutingRules.TokenOf(payment.Token, provider), payment.GatewayReference)
        {
            CapturedMinor = payment.CapturedMinor,
            IsLast = !lane.Provider.Capabilities.SeveralCaptures || attempt.AmountMinor >= payment.HeldMinor,
        };
        if (!lane.Queue.Writer.TryWrite(new QueuedTask(lane, request, task))) inHand.TryRemove(attempt.Key, out _);
    }

    async Task<int> TakeDueAsync(Work work, int most)
    {
        var room = lanes.Count == 0
            ? 0
            : lanes.Values.Min(lane => limits.GatewayMaxWaiting - lane.Queue.Reader.Count);
        var due = await work.QueryAsync(
            sql["find_due_attempts"], SqlArgs.With("now", work.Now).And("most", Math.Clamp(room, 0, most)),
            row => row.Uuid("order_id"));
        if (due.Count == 0) return 0;
        var at = new At(work.Now, limits);
        var payments = await store.LockAvailableAsync(work, due);
        var down = routes.Count == 0 ? null : Down();
        foreach (var orderId in due)
        {
            var paymentCase = payments.Case(orderId);
            var decision = AttemptRules.TakeUp(
                paymentCase, at, down is null ? null : RoutingRules.TakesOver(routes, paymentCase, down));
            payments.Apply(decision);
            if (decision.Next is { } task) work.AfterCommit(() => Take(decision.Case, task));
        }
        store.Save(work, payments);
        return due.Count;
    }

    async Task RunAsync(Lane lane, CancellationToken cancel)
    {
        while (await lane.Queue.Reader.WaitToReadAsync(cancel))
            while (lane.Queue.Reader.TryRead(out var queued))
            {
                await lane.Slots.WaitAsync(cancel);
                _ = CarryOutAsync(queued, cancel);
            }
    }

    // Not awaited, so all exceptions are caught here. An unrecorded result is looked up again when the lease ends.
    async Task CarryOutAsync(QueuedTask queued, CancellationToken cancel)
    {
        var (lane, request, task) = queued;
        try
        {
            GatewayResult result;
            try
            {
                result = await AskAsync(queued, cancel);
            }
            finally
            {
                inHand.TryRemove(task.Attempt.Key, out _);
                lane.Slots.Release();
            }
            if (cancel.IsCancellationRequested) return;
            await results.SubmitAsync(new AttemptResult(
                lane.Provider.Name, request.OrderId, task.Attempt.Operation, task.Attempt.Number, result));
        }
        catch (Exception error)
        {
            LogNotRecorded(request.Key, error.Message);
        }
    }

    async Task<GatewayResult> AskAsync(QueuedTask queued, CancellationToken cancel)
    {
        var (lane, _, task) = queued;
        if (task.LookUp && !lane.Provider.Capabilities.LookUpByKey && !RecoversByList(lane, task))
            return new GatewayResult.Unknown("This gateway offers no look-ups.");
        if (lane.Breaker.Refuses(!task.LookUp && task.Attempt.Sends > 1, time.Now()) is var (why, after))
            return new GatewayResult.NotAsked(why, task.LookUp, after);
        var since = time.GetTimestamp();
        var operation = task.LookUp ? Metrics.LookUp : task.Attempt.Operation;
        using var span = OrderTraces.Begin(task.Attempt.OrderId, $"gateway {operation}", ActivityKind.Client);
        var result = await SendAsync(queued, cancel);
        span?.SetTag("orderwright.gateway", lane.Provider.Name).SetTag("orderwright.key", task.Attempt.Key)
            .SetTag("orderwright.attempt", task.Attempt.Number).SetTag("orderwright.sends", task.Attempt.Sends)
            .SetTag("orderwright.result", KindOf(result));
        if (result is GatewayResult.Unknown or GatewayResult.Unavailable) span?.SetStatus(ActivityStatusCode.Error);
        Metrics.Asked(
            lane.Provider.Name, operation, KindOf(result), time.GetElapsedTime(since));
        if (!cancel.IsCancellationRequested)
            Record(lane, isAnswered: result is not (GatewayResult.Unavailable or GatewayResult.Unknown { IsAnswer: false }));
        // An unavailable gateway reveals nothing about the earlier request.
        return task.LookUp && result is GatewayResult.Unavailable unavailable
            ? new GatewayResult.Unknown(unavailable.Why)
            : result;
    }

    static string KindOf(GatewayResult result) => result switch
    {
        GatewayResult.Unknown => Metrics.Unknown,
        GatewayResult.Unavailable => Metrics.Unavailable,
        GatewayResult.Declined => Metrics.Declined,
        _ => Metrics.Answered,
    };

    void Record(Lane lane, bool isAnswered)
    {
        if (!lane.Breaker.Record(isAnswered, time.Now())) return;
        if (isAnswered) LogClosed(lane.Provider.Name);
        else LogOpened(lane.Provider.Name);
    }

    async Task<GatewayResult> SendAsync(QueuedTask queued, CancellationToken cancel)
    {
        var (lane, request, task) = queued;
        var provider = lane.Provider;
        using var deadline = new CancellationTokenSource(limits.GatewayDeadline, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancel);
        try
        {
            return await (
                RecoversByList(lane, task) ? ChargeLookUp.FindAsync(provider, request, clock.IsCompared, either.Token)
                : task.LookUp ? provider.FindAsync(request, either.Token)
                : CallAsync(provider, request, either.Token)).WaitAsync(either.Token);
        }
        catch (Exception error) when (error is OperationCanceledException || cancel.IsCancellationRequested)
        {
            return new GatewayResult.Unknown($"No answer within {limits.GatewayDeadline.TotalSeconds:0.#} s.");
        }
        catch (Exception error)
        {
            LogRequestFailed(provider.Name, request.Key, error);
            return new GatewayResult.Unknown("The request failed before its result was known.");
        }
    }

    // Only the list tells the amounts, and knows the charge whatever the key was.
    static bool RecoversByList(Lane lane, GatewayTask task) =>
        task is { LookUp: true, Attempt.IsRecovery: true } && lane.Provider.Charges is not null;

    static Task<GatewayResult> CallAsync(
        IPaymentProvider provider, GatewayRequest request, CancellationToken cancel) =>
        request.Operation switch
        {
            GatewayOperations.Authorize => provider.AuthorizeAsync(request, cancel),
            GatewayOperations.Capture => provider.CaptureAsync(request, cancel),
            GatewayOperations.Void => provider.VoidAsync(request, cancel),
            GatewayOperations.Refund => provider.RefundAsync(request, cancel),
            var other => throw new InvalidOperationException($"No gateway supports the operation '{other}'."),
        };

    [LoggerMessage(3101, LogLevel.Warning, "Provider {Provider} of payment {OrderId} is not configured here; the payment waits")]
    partial void LogNoProvider(string provider, Guid orderId);

    [LoggerMessage(3102, LogLevel.Warning, "The result of {Key} was not recorded and will be looked up: {Why}")]
    partial void LogNotRecorded(string key, string why);

    [LoggerMessage(3103, LogLevel.Warning, "{Provider}: the request {Key} failed before its result was known")]
    partial void LogRequestFailed(string provider, string key, Exception error);

    [LoggerMessage(
        3104, LogLevel.Warning, "Gateway {Provider} is failing: its circuit breaker is open, and only single requests are sent")]
    partial void LogOpened(string provider);

    [LoggerMessage(3105, LogLevel.Information, "Gateway {Provider} answers again; its circuit breaker is closed")]
    partial void LogClosed(string provider);
}
