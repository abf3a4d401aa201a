using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Rendering;

namespace Orderwright.OperatorConsole.Parts;

/// <summary>Column of a <see cref="Table{TItem}"/>. Cells come from <see cref="Text"/> or the child content.</summary>
public sealed class Column<TItem> : ComponentBase
{
    [CascadingParameter] public required Table<TItem> Table { get; set; }

    [Parameter, EditorRequired] public required string Title { get; set; }

    /// <summary>Tooltip of the heading.</summary>
    [Parameter] public string? Hint { get; set; }

    /// <summary>Aligns heading and cells to the right.</summary>
    [Parameter] public bool Number { get; set; }

    /// <summary>CSS classes of the cells, such as <c>text</c> for cells with wrapping sentences.</summary>
    [Parameter] public string? Class { get; set; }

    /// <summary>False leaves the column out, such as one without a value in any row.</summary>
    [Parameter] public bool Shown { get; set; } = true;

    /// <summary>Plain text of a cell; null is shown as a dash.</summary>
    [Parameter] public Func<TItem, string?>? Text { get; set; }

    [Parameter] public RenderFragment<TItem>? ChildContent { get; set; }

    internal string? HeadingClass => Number ? "n" : null;

    internal string? CellClass => Number && Class is not null ? $"n {Class}" : Number ? "n" : Class;

    internal RenderFragment Cell(TItem item) => ChildContent?.Invoke(item) ?? (builder =>
    {
        if (Text?.Invoke(item) is { Length: > 0 } text) builder.AddContent(0, text);
        else
        {
            builder.OpenComponent<Dash>(1);
            builder.CloseComponent();
        }
    });

    protected override void OnInitialized()
    {
        if (Shown) Table.Add(this);
    }
}

/// <summary>Renders its content after its preceding siblings, so a table's columns are known before its rows.</summary>
public sealed class Deferred : ComponentBase
{
    [Parameter, EditorRequired] public required RenderFragment ChildContent { get; set; }

    protected override void BuildRenderTree(RenderTreeBuilder builder) => builder.AddContent(0, ChildContent);
}
