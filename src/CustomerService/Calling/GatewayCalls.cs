using System.Collections.Concurrent;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Orderwright.CustomerService.Payments;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;

namespace Orderwright.CustomerService.Calling;

/// <summary>
/// Makes the calls to gateways, outside any transaction. It is fed after the commit that stored the intent;
/// the rows are the truth: what is lost between commit and call, or between call and commit, is taken up
/// again when its lease ends, and looked up before anything is repeated. A call holds a place in its
/// provider's lane, and no thread.
/// </summary>
public sealed partial class GatewayCalls
{
    sealed record Errand(Lane Lane, GatewayRequest Request, GatewayTask Task);

    sealed record Lane(IPaymentProvider Provider, Channel<Errand> Line, SemaphoreSlim Places, Breaker Breaker);

    readonly Dictionary<string, Lane> lanes;
    readonly IReadOnlyList<PaymentRoute> routes;
    readonly PaymentStore store;
    readonly SqlCatalog sql;
    readonly GatewayLimits limits;
    readonly TimeProvider time;
    readonly ILogger log;
    readonly GroupCommit<CallReport, bool> reports;

    // What this process already has in hand: its lease may end while it waits in line.
    readonly ConcurrentDictionary<string, GatewayTask> inHand = new();

    public GatewayCalls(
        IReadOnlyDictionary<string, IPaymentProvider> providers, IReadOnlyList<PaymentRoute> routes, PaymentStore store,
        GatewayLimits limits, TellOrders orders, ServiceContext context)
    {
        this.routes = routes;
        this.store = store;
        this.limits = limits;
        sql = context.Sql;
        time = context.Time;
        log = context.Logs.CreateLogger<GatewayCalls>();
        lanes = providers.ToDictionary(
            pair => pair.Key,
            pair => new Lane(
                pair.Value, Channel.CreateBounded<Errand>(limits.GatewayMaxWaiting),
                new SemaphoreSlim(limits.GatewayMaxInFlight), new Breaker(limits)));
        Settle = new SettleCalls(store, providers, limits, routes, Down, orders, log, Take);
        reports = new("settle-calls", Settle.HandleAsync, context.Runner, context.Options, context.Time);
    }

    /// <summary>Also for webhooks, which bring results in their own transactions.</summary>
    public SettleCalls Settle { get; }

    public IReadOnlyList<BackgroundLoop> Loops =>
    [
        reports.Loop,
        .. lanes.Select(pair => new BackgroundLoop($"gateway-{pair.Key}", cancel => RunAsync(pair.Value, cancel))),
    ];

    /// <summary>Gateways that fail, as this process sees it: their breaker is open.</summary>
    public IReadOnlySet<string> Down() =>
        lanes.Where(pair => pair.Value.Breaker.IsOpen).Select(pair => pair.Key).ToHashSet();

    public TimedJob Job => new("take-due-calls", null, TakeDueAsync);

    /// <summary>
    /// Puts an attempt in line, once its row is committed. With the line full it waits in its row.
    /// </summary>
    public void Take(PaymentFile file, GatewayTask task)
    {
        var payment = file.Payment!;
        var call = task.Call;
        var provider = call.Provider ?? payment.Provider!;
        if (!lanes.TryGetValue(provider, out var lane))
        {
            LogNoProvider(provider, file.OrderId);
            return;
        }
        if (!inHand.TryAdd(call.Key, task)) return;
        var request = new GatewayRequest(
            call.Key, call.OrderId, call.Operation, call.AmountMinor, payment.Currency!,
            payment.Route is null ? payment.Token : RoutingRules.TokenOf(payment.Token, provider), payment.GatewayReference)
        {
            CapturedMinor = payment.CapturedMinor,
            IsLast = !lane.Provider.Capabilities.SeveralCaptures || call.AmountMinor >= payment.HeldMinor,
        };
        if (!lane.Line.Writer.TryWrite(new Errand(lane, request, task))) inHand.TryRemove(call.Key, out _);
    }

    async Task<int> TakeDueAsync(Work work, int most)
    {
        var room = lanes.Count == 0
            ? 0
            : lanes.Values.Min(lane => limits.GatewayMaxWaiting - lane.Line.Reader.Count);
        var due = await work.QueryAsync(
            sql["find_due_calls"], SqlArgs.With("now", work.Now).And("most", Math.Clamp(room, 0, most)),
            row => row.Uuid(0));
        if (due.Count == 0) return 0;
        var book = await store.LockFreeAsync(work, due);
        var down = routes.Count == 0 ? null : Down();
        foreach (var orderId in due)
        {
            var file = book.File(orderId);
            var decision = CallRules.TakeUp(
                file, work.Now, limits, down is null ? null : RoutingRules.TakesOver(routes, file, down));
            book.Apply(decision);
            if (decision.Next is { } task) work.AfterCommit(() => Take(decision.File, task));
        }
        store.Save(work, book);
        return due.Count;
    }

    async Task RunAsync(Lane lane, CancellationToken cancel)
    {
        while (await lane.Line.Reader.WaitToReadAsync(cancel))
            while (lane.Line.Reader.TryRead(out var errand))
            {
                await lane.Places.WaitAsync(cancel);
                _ = CarryOutAsync(errand, cancel);
            }
    }

    // Stands in its own guard: nobody awaits it. What it cannot report is found again by its row.
    async Task CarryOutAsync(Errand errand, CancellationToken cancel)
    {
        var (lane, request, task) = errand;
        try
        {
            GatewayResult result;
            try
            {
                result = await AskAsync(errand, cancel);
            }
            finally
            {
                inHand.TryRemove(request.Key, out _);
                lane.Places.Release();
            }
            if (cancel.IsCancellationRequested) return;
            await reports.SubmitAsync(new CallReport(
                lane.Provider.Name, request.OrderId, task.Call.Operation, task.Call.N, result));
        }
        catch (Exception error)
        {
            LogNotReported(request.Key, error.Message);
        }
    }

    async Task<GatewayResult> AskAsync(Errand errand, CancellationToken cancel)
    {
        var (lane, _, task) = errand;
        var provider = lane.Provider;
        if (task.LookUp && !provider.Capabilities.LookUpByKey)
            return new GatewayResult.Unknown("This gateway cannot be asked what became of a request.");
        if (lane.Breaker.Refuses(!task.LookUp && task.Call.Attempts > 1, time.Now()) is var (why, after))
            return new GatewayResult.NotAsked(why, task.LookUp, after);
        var result = await AskNowAsync(errand, cancel);
        if (!cancel.IsCancellationRequested)
            Tell(lane, isAnswered: result is not (GatewayResult.Unavailable or GatewayResult.Unknown { IsAnswer: false }));
        // A gateway that cannot be asked now says nothing about what it was asked before.
        return task.LookUp && result is GatewayResult.Unavailable away ? new GatewayResult.Unknown(away.Why) : result;
    }

    void Tell(Lane lane, bool isAnswered)
    {
        if (!lane.Breaker.Tell(isAnswered, time.Now())) return;
        if (isAnswered) LogClosed(lane.Provider.Name);
        else LogOpened(lane.Provider.Name);
    }

    async Task<GatewayResult> AskNowAsync(Errand errand, CancellationToken cancel)
    {
        var (lane, request, task) = errand;
        var provider = lane.Provider;
        using var deadline = new CancellationTokenSource(limits.GatewayDeadline, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancel);
        try
        {
            return await (task.LookUp
                ? provider.FindAsync(request, either.Token)
                : CallAsync(provider, request, either.Token)).WaitAsync(either.Token);
        }
        catch (Exception error) when (error is OperationCanceledException || cancel.IsCancellationRequested)
        {
            return new GatewayResult.Unknown($"No answer within {limits.GatewayDeadline.TotalSeconds:0.#} s.");
        }
        catch (Exception error)
        {
            LogCallFailed(provider.Name, request.Key, error);
            return new GatewayResult.Unknown("The call broke off.");
        }
    }

    static Task<GatewayResult> CallAsync(
        IPaymentProvider provider, GatewayRequest request, CancellationToken cancel) =>
        request.Operation switch
        {
            GatewayOperations.Authorize => provider.AuthorizeAsync(request, cancel),
            GatewayOperations.Capture => provider.CaptureAsync(request, cancel),
            GatewayOperations.Void => provider.VoidAsync(request, cancel),
            GatewayOperations.Refund => provider.RefundAsync(request, cancel),
            var other => throw new InvalidOperationException($"No gateway knows the operation '{other}'."),
        };

    [LoggerMessage(3101, LogLevel.Warning, "No provider {Provider} is here for the payment {OrderId}; it waits")]
    partial void LogNoProvider(string provider, Guid orderId);

    [LoggerMessage(3102, LogLevel.Warning, "The result of {Key} was not recorded; it will be looked up: {Why}")]
    partial void LogNotReported(string key, string why);

    [LoggerMessage(3103, LogLevel.Warning, "{Provider}: the call {Key} broke off")]
    partial void LogCallFailed(string provider, string key, Exception error);

    [LoggerMessage(3104, LogLevel.Warning, "The gateway {Provider} fails; it is asked now and then, and its orders wait")]
    partial void LogOpened(string provider);

    [LoggerMessage(3105, LogLevel.Information, "The gateway {Provider} answers again")]
    partial void LogClosed(string provider);
}
