using System.Text.Json;
using Orderwright.Contracts;
using Orderwright.Http;
using Orderwright.Verification.Healing;

namespace Orderwright.Simulation;

/// <summary>
/// The operator who heals a restored database: the operations of the services below the HTTP layer, over the wire of the clients.
/// </summary>
sealed class HealingOperator(World world) : IHealedServices
{
    static readonly Caller Operator = new("operator", ChannelSet.Of("main"), Scopes.All);

    public Task<IReadOnlyList<ClosedFence>> FencesAsync(CancellationToken cancel) =>
        Task.FromResult<IReadOnlyList<ClosedFence>>(
        [
            .. ServiceNames.All.SelectMany(service => world.NodesOf(service)
                .Where(node => node.Running is { Fence.IsClosed: true })
                .Select(node => new ClosedFence(service, !node.Running!.Fence.HoldsWork)).Take(1)),
        ]);

    public Task<HealResponse?> HealAsync(HealOrdersRequest request, CancellationToken cancel) =>
        CallAsync(ServiceNames.Order, node => node.HealOrders!.SubmitAsync(Of(request)));

    public Task<HealResponse?> HealAsync(HealSagasRequest request, CancellationToken cancel) =>
        CallAsync(ServiceNames.Coordinator, node => node.HealSagas!.SubmitAsync(Of(request)));

    public Task<HealResponse?> HealAsync(HealReservationsRequest request, CancellationToken cancel) =>
        CallAsync(ServiceNames.Stock, node => node.HealReservations!.SubmitAsync(Of(request)));

    public Task<HealResponse?> HealAsync(HealPaymentsRequest request, CancellationToken cancel) =>
        CallAsync(ServiceNames.Customer, node => node.HealPayments!.RunAsync(Of(request), cancel));

    public Task<bool> ResumeAsync(string service, string reason, CancellationToken cancel) =>
        OpenAsync(service, running => running.ResumeWorkAsync(Operator.Name, reason, null));

    public Task<bool> AcceptAsync(string service, string reason, CancellationToken cancel) =>
        OpenAsync(service, running => running.AcceptDatabaseAsync(Operator.Name, reason, null));

    async Task<bool> OpenAsync(string service, Func<Runtime.RunningService, Task> open)
    {
        var answer = await world.Client.CallAsync(service, async node =>
        {
            await open(node.Running!);
            return Answer.NoContent();
        });
        return answer is not null;
    }

    async Task<HealResponse?> CallAsync(string service, Func<Node, Task<Answer>> call)
    {
        var answer = await world.Client.CallAsync(service, call);
        if (answer is not { Status: 200 }) return null;
        var response = JsonSerializer.Deserialize(answer.Body.Span, HealJson.Default.HealResponse)!;
        world.Trace.Record(
            null,
            $"heal: {service} repairs {response.Changed}, leaves {response.Unchanged}, {response.Conflicts.Count} conflicts");
        foreach (var conflict in response.Conflicts)
            world.Trace.Record(conflict.OrderId, $"heal: {conflict.Code}: {conflict.Message}");
        return response;
    }

    static Command<T> Of<T>(T request) => new(request, Operator, null, []);
}
