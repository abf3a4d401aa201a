using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Orderwright.Contracts;
using Orderwright.CustomerService.Customers;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;
using Orderwright.Http;
using Orderwright.SagaCoordinator.Operators;
using Orderwright.StockService;

namespace Orderwright.Simulation;

/// <summary>The responses that a client received for one order request.</summary>
public sealed class Ticket(Place place)
{
    public Place Place => place;

    /// <summary>The first conclusive response: neither "not now" nor "still in progress".</summary>
    public Answer? Answer { get; set; }

    /// <summary>The id of the created order, as the response names it.</summary>
    public Guid? OrderId { get; set; }

    /// <summary>
    /// Orders of the request with an accepted cancellation. A request under another key may get a second order, because a
    /// cancelled order frees its reference.
    /// </summary>
    public HashSet<Guid> Cancelled { get; } = [];

    /// <summary>Orders of the request that the coordinator accepted to stop for an operator.</summary>
    public HashSet<Guid> Stopped { get; } = [];

    /// <summary>Number of times the request was sent.</summary>
    public int Sent { get; set; }

    /// <summary>Time at which the request was sent first.</summary>
    public DateTimeOffset? FirstSentAt { get; set; }

    /// <summary>The order that holds the reference, as a refusal names it.</summary>
    public Guid? Named { get; set; }

    /// <summary>Number of the shoppers' key that sent the request last; 0 for a till, and before.</summary>
    public int Key { get; set; }

    /// <summary>Number of the key under which <see cref="Answer"/> came.</summary>
    public int AnsweredKey { get; set; }

    /// <summary>True when the request was repeated under another key, because the first key was revoked.</summary>
    public bool IsRekeyed { get; set; }
}

/// <summary>
/// Everyone outside the system: shoppers, operators, and the gateway's webhooks. Calls the services below the HTTP layer,
/// over a wire that may lose request or response; repeats unanswered requests under the same Idempotency-Key and checks
/// that both responses agree.
/// </summary>
public sealed partial class Client(World world, Chance chance)
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(40);
    static readonly Caller Shopper = new("shopper", ChannelSet.Of("main"), Scopes.All);
    static readonly Caller Till = new("till", ChannelSet.Of("main"), [Scopes.Orders], Shop.TillDiscount);
    static readonly IServiceProvider Host = new NeverStopping();

    readonly Lane lane = new(world.Pump);
    readonly HostTime time = new(world.Pump, new Lane(world.Pump), () => TimeSpan.Zero, () => TimeSpan.FromSeconds(1));
    readonly List<Task> begun = [];
    int shipments;
    int key = 1;

    public TimeProvider Time => time;

    public Dictionary<int, Ticket> Tickets { get; } = [];

    /// <summary>Responses that no client may ever receive.</summary>
    public List<(string Subject, string What)> Violations { get; } = [];

    /// <summary>True when all requests have completed; throws if the client itself failed.</summary>
    public bool IsDone
    {
        get
        {
            foreach (var task in begun)
                if (task.Exception is { } error)
                    throw new InvalidOperationException("The simulated client failed.", error);
            return begun.TrueForAll(task => task.IsCompleted);
        }
    }

    public Task Start(Func<Task> work)
    {
        var task = lane.Start(work);
        begun.Add(task);
        return task;
    }

    public void Begin(Operation operation)
    {
        switch (operation)
        {
            case Place place:
                var ticket = Tickets[place.Number] = new Ticket(place);
                for (var i = 0; i < place.Copies; i++) Start(() => PlaceAsync(ticket));
                break;
            case Cancel cancel:
                Start(() => CancelAsync(cancel));
                break;
            case Ship ship:
                Start(() => ShipAsync(ship));
                break;
            case Complete complete:
                Start(() => CompleteAsync(complete));
                break;
            case Operate operate:
                Start(() => OperateAsync(operate));
                break;
            case Refund refund:
                Start(() => RefundAsync(refund));
                break;
            case Erase erase:
                Start(() => EraseAsync(erase.Customer));
                break;
            case Register register:
                Start(() => RegisterAsync(register.Customer));
                break;
            case Adjust adjust:
                Start(() => CallAsync(
                    ServiceNames.Stock,
                    node => node.Catalogue!.SubmitAsync(Unkeyed<CatalogueChange>(
                        new CatalogueChange.Adjust(adjust.Sku, adjust.Delta, "other", null)))));
                break;
            case TopUp top:
                Start(() => CallAsync(
                    ServiceNames.Customer,
                    node => node.Customers!.SubmitAsync(Unkeyed<CustomerChange>(
                        new CustomerChange.AddCredit(top.Customer, Shop.Currency, top.AmountMinor, null)))));
                break;
        }
    }

    /// <summary>Fills the shop in two transactions.</summary>
    public void Open(int onHand, int credit)
    {
        foreach (var (sku, price) in Shop.Products)
        {
            Change(new CatalogueChange.Put(sku, sku, price, Shop.Currency, null));
            Change(new CatalogueChange.Count(sku, onHand, null));
        }
        foreach (var customer in Shop.Customers)
        {
            Change(new CustomerChange.Put(customer, customer, null, null));
            Change(new CustomerChange.AddCredit(customer, Shop.Currency, credit, null));
        }
        Change(new CustomerChange.Put(Shop.Guest, Shop.Guest, null, null));
    }

    /// <summary>Revokes the shoppers' key: requests on their way are carried out, later ones come under another key.</summary>
    public void ReplaceKey() => key++;

    /// <summary>Repeats every answered request under its key: the response must equal the first, byte for byte.</summary>
    public void RepeatAll()
    {
        foreach (var ticket in Tickets.Values.Where(
            ticket => ticket is { Place.HasKey: true, Answer: not null } && HasValidKey(ticket)))
            Start(() => SendAsync(ticket));
    }

    /// <summary>Decision of a person about a step that waits for one.</summary>
    public void Resolve(Guid orderId, string step) => Start(async () =>
    {
        var isGranted = !chance.Hit(0.2);
        await OperateAsync(new OperatorAction(orderId, OperatorVerb.Resolve, "As simulated.", step, isGranted));
    });

    /// <summary>An operator's retry of an incident.</summary>
    public void Retry(Guid orderId) => Start(async () =>
    {
        // An instance hears of an opened fence a moment later than another.
        for (var tries = 0; tries < 6; tries++)
        {
            if (await OperateAsync(orderId, OperatorVerb.Retry) is { Status: < 500 }) return;
            await PauseAsync();
        }
    });

    /// <summary>Sends a request; null when no response arrived, whether or not the request was handled.</summary>
    public async Task<Answer?> CallAsync(string service, Func<Node, Task<Answer>> call)
    {
        var up = world.NodesOf(service).Where(node => node.IsUp).ToList();
        if (up.Count == 0) return null;
        var node = up[chance.Next(up.Count)];
        var fault = world.Faults.OnClient;
        if (fault is not null && chance.Hit(fault.RequestLost))
        {
            world.Faults.Count("request lost");
            return null;
        }
        try
        {
            var answering = node.Lane.Start(() => call(node));
            await Task.WhenAny(answering, node.End).WaitAsync(Patience, time);
            if (node.IsDead) return null;
            var answer = await answering;
            world.Trace.Mix(answer.Status);
            world.Trace.Mix(answer.Body.Span);
            if (fault is null || !chance.Hit(fault.ResponseLost)) return answer;
            world.Faults.Count("response lost");
            return null;
        }
        catch (Exception error) when (error is TimeoutException or OverloadedException or DatabaseUnavailableException)
        {
            // No more conclusive than a 503.
            return null;
        }
        catch (Exception error)
        {
            Violations.Add(("client", $"{service} fails a request with {error.GetType().Name}: {error.Message}"));
            return null;
        }
    }

    async Task PlaceAsync(Ticket ticket)
    {
        for (var tries = 0; tries < 12; tries++)
        {
            if (await SendAsync(ticket) || !ticket.Place.HasKey) return;
            await Task.Delay(chance.Between(TimeSpan.FromMilliseconds(50), TimeSpan.FromSeconds(5)), time);
        }
    }

    // True when the response is conclusive.
    async Task<bool> SendAsync(Ticket ticket)
    {
        if (!HasValidKey(ticket))
        {
            // Under another key the same Idempotency-Key is a new request: only a reference keeps the order from coming twice.
            if (ticket.Place.Reference is null) return true;
            ticket.IsRekeyed = true;
        }
        if (!ticket.Place.AtTill) ticket.Key = key;
        ticket.Sent++;
        ticket.FirstSentAt ??= world.Pump.Now;
        var caller = ticket.Place.AtTill ? world.Bug.Alter(Till) : Shopper with { Name = $"shopper-{ticket.Key}" };
        var (sender, answer) = (ticket.Key, await CallAsync(
            ServiceNames.Order, node => node.Orders!.PlaceAsync(Request(ticket.Place, caller))));
        world.Trace.Record(ticket.OrderId, $"client: order {ticket.Place.Number} gets {answer?.Status}");
        if (answer is null or { Status: >= 500 } || IsInFlight(answer)) return false;
        if (ticket.Answer is not { } first || sender != ticket.AnsweredKey)
        {
            Take(ticket, answer, sender);
            if (ticket.OrderId is { } placed) world.Actions.Record(placed);
        }
        else if ((first.Status, first.Location, first.Version) != (answer.Status, answer.Location, answer.Version)
            || !first.Body.Span.SequenceEqual(answer.Body.Span))
            Violations.Add((
                (ticket.OrderId ?? ticket.Named)?.ToString() ?? $"order {ticket.Place.Number}",
                $"got {first.Status} {Text(first)}, and then {answer.Status} {Text(answer)}"));
        return true;
    }

    async Task CancelAsync(Cancel cancel)
    {
        for (var tries = 0; tries < 6; tries++)
        {
            if (Tickets.GetValueOrDefault(cancel.Order) is { OrderId: { } id } ticket)
            {
                var answer = await CallAsync(
                    ServiceNames.Order,
                    node => node.Orders!.CancelAsync(Post("""{"reason":"customer"}""", $"cancel-{id}"), $"{id}"));
                world.Trace.Record(id, $"client: the cancellation gets {answer?.Status}");
                if (answer is { Status: 202 })
                {
                    ticket.Cancelled.Add(id);
                    world.Actions.Record(id);
                }
                if (answer is not (null or { Status: >= 500 })) return;
            }
            await Task.Delay(chance.Between(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(4)), time);
        }
    }

    // Retried under the same key until answered; an order that is not confirmed yet is tried again under a new key.
    async Task ShipAsync(Ship ship)
    {
        var body = ship.Quantity is { } some ? $$"""{"lines":[{"line":1,"quantity":{{some}}}]}""" : "{}";
        var key = $"ship-{++shipments}";
        for (var tries = 0; tries < 6; tries++)
        {
            if (Tickets.GetValueOrDefault(ship.Order) is { OrderId: { } id })
            {
                var answer = await CallAsync(
                    ServiceNames.Order, node => node.Fulfilling!.ShipAsync(Post(body, key), $"{id}"));
                world.Trace.Record(id, $"client: the shipment gets {answer?.Status}");
                if (answer is { Status: 201 })
                {
                    world.Actions.Record(id);
                    return;
                }
                if (answer is { Status: 409 } && !IsInFlight(answer)) key = $"ship-{++shipments}";
            }
            await Task.Delay(chance.Between(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(4)), time);
        }
    }

    async Task OperateAsync(Operate operate)
    {
        if (Tickets.GetValueOrDefault(operate.Order) is not { OrderId: { } id } ticket) return;
        var answer = await OperateAsync(id, operate.Verb);
        if (operate.Verb != OperatorVerb.Retry && answer is { Status: 200 }) ticket.Stopped.Add(id);
    }

    Task<Answer?> OperateAsync(Guid orderId, OperatorVerb verb) =>
        OperateAsync(new OperatorAction(orderId, verb, "As simulated."));

    async Task<Answer?> OperateAsync(OperatorAction action)
    {
        var answer = await CallAsync(ServiceNames.Coordinator, node => node.Operators!.SubmitAsync(Unkeyed(action)));
        if (answer is { Status: 200 }) world.Actions.Record(action.OrderId);
        return answer;
    }

    void Change(CatalogueChange change) =>
        Start(() => CallAsync(ServiceNames.Stock, node => node.Catalogue!.SubmitAsync(Unkeyed(change))));

    void Change(CustomerChange change) =>
        Start(() => CallAsync(ServiceNames.Customer, node => node.Customers!.SubmitAsync(Unkeyed(change))));

    static Command<T> Unkeyed<T>(T change) => new(change, Shopper, null, []);

    bool HasValidKey(Ticket ticket) => ticket.Key is 0 || ticket.Key == key;

    static bool IsInFlight(Answer answer) =>
        answer.Status == StatusCodes.Status409Conflict && Text(answer).Contains("in_flight", StringComparison.Ordinal);

    static string Text(Answer answer) => Encoding.UTF8.GetString(answer.Body.Span);

    static DefaultHttpContext Request(Place place, Caller caller)
    {
        // A till names the prices, so that its discount can be judged.
        var lines = string.Join(",", place.Lines.Select(line =>
        {
            var price = place.AtTill ? $$""","unitPrice":{{Shop.PriceOf(line.Sku)}}""" : "";
            return $$"""{"sku":"{{line.Sku}}","quantity":{{line.Quantity}}{{price}}}""";
        }));
        var payment = place.Token is null
            ? ""
            : $$""","payment":{"provider":"{{GatewayProvider.ProviderName}}","token":"{{place.Token}}"}""";
        var reference = place.Reference is null ? "" : $$""","reference":"{{place.Reference}}" """;
        var discount = place.Discount == 0
            ? ""
            : $$""","adjustments":[{"type":"discount","label":"sale","amount":{{-place.GoodsMinor * place.Discount / 100}}}]""";
        var http = Post(
            $$$"""
            {"customerId":"{{{place.Customer}}}","currency":"{{{Shop.Currency}}}","lines":[{{{lines}}}]{{{payment}}}
            {{{reference}}}{{{discount}}},"metadata":{"order":"{{{place.Number}}}"}}
            """,
            place.HasKey ? $"order-{place.Number}" : null, caller);
        if (place.WaitSeconds > 0)
            http.Request.Headers["Prefer"] = string.Create(CultureInfo.InvariantCulture, $"wait={place.WaitSeconds}");
        return http;
    }

    static DefaultHttpContext Post(string json, string? key, Caller? caller = null)
    {
        var body = Encoding.UTF8.GetBytes(json);
        var http = new DefaultHttpContext { RequestServices = Host };
        http.Request.Method = "POST";
        http.Request.Path = "/";
        http.Request.ContentType = "application/json";
        http.Request.ContentLength = body.Length;
        http.Request.Body = new MemoryStream(body);
        if (key is not null) http.Request.Headers["Idempotency-Key"] = key;
        Caller.Set(http, caller ?? Shopper);
        return http;
    }

    /// <summary>The host behind a request. Simulated processes only crash, so shutdown never begins.</summary>
    sealed class NeverStopping : IServiceProvider, IHostApplicationLifetime
    {
        public CancellationToken ApplicationStarted => CancellationToken.None;

        public CancellationToken ApplicationStopping => CancellationToken.None;

        public CancellationToken ApplicationStopped => CancellationToken.None;

        public object? GetService(Type serviceType) => serviceType == typeof(IHostApplicationLifetime) ? this : null;

        public void StopApplication()
        {
        }
    }
}
