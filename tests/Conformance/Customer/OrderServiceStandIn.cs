using Orderwright.Contracts;
using Orderwright.Runtime.Transport;

namespace Orderwright.Conformance.Customer;

/// <summary>Answers the questions of customer-service as order-service would, over facts given by the test.</summary>
sealed class OrderServiceStandIn : IAsyncDisposable
{
    readonly CancellationTokenSource stopping = new();
    readonly CustomerServer server;
    readonly IInbox inbox;
    readonly Task reading;

    OrderServiceStandIn(CustomerServer server, IInbox inbox)
    {
        (this.server, this.inbox) = (server, inbox);
        reading = ReadAsync();
    }

    public static async Task<OrderServiceStandIn> StartAsync(CustomerServer server) =>
        new(server, await server.ListenAsync(ServiceNames.Order));

    /// <summary>The customer's first open order; null for none.</summary>
    public Guid? OpenOrder { get; set; }

    /// <summary>False drops every question.</summary>
    public bool Answers { get; set; } = true;

    /// <summary>Runs before an answer about an erasure is sent.</summary>
    public Func<EraseCustomer, Task> Meanwhile { get; set; } = _ => Task.CompletedTask;

    public Dictionary<Guid, OrderTold> Orders { get; } = [];

    /// <summary>Stages of the erasures asked for.</summary>
    public List<string> Stages { get; } = [];

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);
        await inbox.DisposeAsync();
        stopping.Dispose();
    }

    async Task ReadAsync()
    {
        while (true)
        {
            var deliveries = await inbox.ReceiveAsync(1_000, stopping.Token);
            foreach (var message in deliveries.SelectMany(delivery => delivery.Messages).Where(_ => Answers))
                if (message.Body is EraseCustomer erase)
                {
                    lock (Stages) Stages.Add(erase.Stage);
                    await Meanwhile(erase);
                    await server.TellAsync(message.OrderId, new CustomerErased(
                        erase.CustomerId, erase.Stage, OpenOrder is null ? 0 : 1, 3, OpenOrder));
                }
                else if (message.Body is AskOrder)
                    await server.TellAsync(
                        message.OrderId, Orders.GetValueOrDefault(message.OrderId) ?? new OrderTold());
            await inbox.AcknowledgeAsync(deliveries, default);
        }
    }
}
