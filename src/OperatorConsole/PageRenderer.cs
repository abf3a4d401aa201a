using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Web;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orderwright.OperatorConsole.Parts;

namespace Orderwright.OperatorConsole;

/// <summary>Draws components as text. Everything in them is encoded; nothing of a visit is kept.</summary>
sealed class PageRenderer(ILoggerFactory logs)
{
    readonly IServiceProvider nothing = new ServiceCollection().BuildServiceProvider();

    /// <summary>The page within its frame.</summary>
    public Task<string> WholeAsync(SitePage page, Visit visit) =>
        RenderAsync(typeof(Frame), new() { [nameof(Frame.Page)] = page, [nameof(Frame.Visit)] = visit });

    /// <summary>What changes while somebody looks: the page without its frame.</summary>
    public Task<string> MainAsync(SitePage page, Visit visit) =>
        RenderAsync(page.Component, new() { [nameof(PageBase.Visit)] = visit });

    public Task<string> LoginAsync(Visit visit) =>
        WholeAsync(new SitePage("/login", "Come in", typeof(Pages.LoginPage)), visit);

    async Task<string> RenderAsync(Type component, Dictionary<string, object?> parameters)
    {
        await using var renderer = new HtmlRenderer(nothing, logs);
        return await renderer.Dispatcher.InvokeAsync(async () =>
            (await renderer.RenderComponentAsync(component, ParameterView.FromDictionary(parameters))).ToHtmlString());
    }
}

/// <summary>A page: it first reads what it needs, then is drawn, once.</summary>
public abstract class PageBase : ComponentBase
{
    [Parameter, EditorRequired]
    public required Visit Visit { get; set; }

    protected Api Api => Visit.Api;

    public sealed override async Task SetParametersAsync(ParameterView parameters)
    {
        parameters.SetParameterProperties(this);
        await LoadAsync();
        if (IsOfNothing) Visit.IsOfNothing = true;
        StateHasChanged();
    }

    protected virtual Task LoadAsync() => Task.CompletedTask;

    /// <summary>What the address names does not exist, as far as was read.</summary>
    protected virtual bool IsOfNothing => false;
}
