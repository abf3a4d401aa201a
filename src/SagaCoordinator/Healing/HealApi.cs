using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Orderwright.Contracts;
using Orderwright.Http;
using Orderwright.Http.Operators;

namespace Orderwright.SagaCoordinator.Healing;

/// <summary>Repairs of sagas over HTTP: <c>POST /api/v1/heal/sagas</c>.</summary>
public sealed class HealApi(CommandGroup<HealSagasRequest> repairs)
{
    public void Map(IEndpointRouteBuilder routes) => routes.MapHeal<HealSagasRequest>(
        "sagas", HealJson.Default.HealSagasRequest, Check, (command, _) => repairs.SubmitAsync(command));

    static Check Check(HealSagasRequest request)
    {
        var check = new Check().Range("/orders", request.Orders.Count, 1, HealRequests.MaxRepairs);
        for (var i = 0; i < request.Orders.Count; i++)
        {
            var (at, repair) = ($"/orders/{i}", request.Orders[i]);
            check.OneOf(
                $"{at}/to", repair.To,
                [SagaTargets.Running, SagaTargets.Confirmed, SagaTargets.Undone, SagaTargets.Announced]);
            if (repair.Order is null && repair.To != SagaTargets.Announced)
                check.Fail($"{at}/order", "required", "The order is required, except for an announcement.");
            if (repair.Ending is null && repair.To == SagaTargets.Undone)
                check.Fail($"{at}/ending", "required", "The end of an undone order is required.");
        }
        return check;
    }
}
